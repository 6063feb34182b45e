"""Whoever speaks on any channel is heard in the mix, whatever the channel is called."""

import wave

import av
import numpy as np
import pytest

RATE_HZ = 16_000


def voice(seconds=3.0, pitch_hz=440, seed=0):
    """Syllables of 300 ms with pauses of 200 ms, in slight noise: float, full scale 1."""
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(seed).normal(0, 0.001, len(time))
    sung = sum(np.sin(2 * np.pi * pitch_hz * n * time) / n for n in (1, 2, 3))
    return 0.2 * sung * (time % 0.5 < 0.3) + noise


def write_wav(path, channels):
    """A plain WAV, which has no channel mask; channels as floats."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.stack(channels, 1) * 32767).astype("<i2").tobytes())
    return path


def level(sound):
    """RMS in dBFS."""
    return 20 * np.log10(np.sqrt(np.mean((sound.astype(float) / 32768) ** 2)) + 1e-9)


@pytest.fixture
def mixed(tmp_path, decode):
    """Channels (floats) through a file into one; int16."""
    return lambda *channels: decode(write_wav(tmp_path / "a.wav", channels))[:, 0]


@pytest.mark.parametrize("count", range(1, 65))
def test_a_voice_is_heard_on_whichever_of_1_to_64_channels(count, mixed):
    said, silence = voice(0.5), np.zeros(RATE_HZ // 2)
    for place in {0, min(3, count - 1), count - 1}:
        sound = mixed(*[said if n == place else silence for n in range(count)])
        assert len(sound) == RATE_HZ // 2
        assert level(sound) > level(said * 32768) - (7 if count == 2 else 1)


@pytest.mark.parametrize("count", [3, 6, 10, 32, 64])
def test_the_same_voice_on_all_channels_is_not_distorted(count, mixed):
    said = voice()
    sound = mixed(*[said] * count)
    assert np.abs(sound.astype(int)).max() < 32_767
    assert np.corrcoef(sound, said)[0, 1] > 0.999


def test_a_reversed_channel_is_heard(mixed):
    said = voice()
    assert level(mixed(said, -said)) > level(said * 32768) - 4


def test_a_voice_that_is_reversed_only_now_and_then_is_heard_throughout(mixed):
    said, second = voice(8.0), RATE_HZ
    sign = np.ones(len(said))
    for start in (2, 5):
        sign[start * second : (start + 2) * second] = -1
    sound = mixed(said, said * sign)
    for start in range(8):
        heard = sound[start * second : (start + 1) * second]
        assert level(heard) > level(said[:second] * 32768) - 5


def test_a_reversed_voice_under_music_that_is_not_reversed_is_heard(mixed):
    said, music = voice(6.0, 330), voice(6.0, 1250, seed=1)[::-1]
    spectrum = np.abs(np.fft.rfft(mixed(music + said, music - said).astype(float)))
    of_each = [spectrum[round(hz * 6)] for hz in (330, 1250)]
    assert 0.5 < of_each[0] / of_each[1] < 2


def test_a_reversed_voice_beside_music_on_one_channel_is_heard(mixed):
    said, music = voice(6.0, 330), voice(6.0, 1250, seed=1)[::-1]
    spectrum = np.abs(np.fft.rfft(mixed(said + music, -said).astype(float)))
    of_each = [spectrum[round(hz * 6)] for hz in (330, 1250)]
    assert 0.5 < of_each[0] / of_each[1] < 4


def test_two_people_on_two_channels_are_both_heard_as_they_spoke(mixed):
    one, other = voice(4.0, 300), voice(4.0, 710, seed=1)[::-1]
    sound = mixed(one, other)
    assert np.corrcoef(sound, one + other)[0, 1] > 0.99


def test_opposite_channels_among_many_do_not_cancel_beside_a_loud_one(mixed):
    said, loud = voice(3.0, 330) * 0.1, voice(3.0, 1250, seed=1)[::-1]
    spectrum = np.abs(np.fft.rfft(mixed(loud, said, -said, loud * 0).astype(float)))
    assert spectrum[(330 * 3)] > spectrum[(1250 * 3)] * 0.1


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_f32le", "pcm_f64le"])
def test_every_kind_of_sample_is_mixed(codec, tmp_path, decode):
    said = (voice() * 32767).astype(np.int16)
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE_HZ, layout="stereo")
        both = np.stack([said, np.zeros_like(said)], 1).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(both, "s16", "stereo")
        frame.sample_rate, frame.pts = RATE_HZ, 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    assert np.corrcoef(decode(path)[:, 0], said)[0, 1] > 0.99


def test_an_lfe_with_a_name_is_left_out_but_not_where_it_is_all_there_is(tmp_path, decode):
    said = (voice() * 32767).astype(np.int16)

    def surround(*places):
        path = tmp_path / f"{len(places)}.flac"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("flac", rate=RATE_HZ, layout="5.1")
            sound = np.zeros((len(said), 6), np.int16)
            for place in places:
                sound[:, place] = said
            frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), "s16", "5.1")
            frame.sample_rate, frame.pts = RATE_HZ, 0
            container.mux([*stream.encode(frame), *stream.encode(None)])
        return decode(path)[:, 0]

    assert level(surround(3)) > level(said) - 9
    assert level(surround(2)) == pytest.approx(level(surround(2, 3)), abs=0.1)
