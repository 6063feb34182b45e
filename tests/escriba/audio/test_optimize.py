import hashlib
import threading

import numpy as np
import pytest

from escriba.audio import optimize_pass
from escriba.audio.audio_errors import DecodeStopped, Truncated
from escriba.audio.encode import AudioWriter, bitrate_for
from escriba.audio.optimize import optimize
from escriba.audio.speech_regions import RegionFinder


@pytest.fixture
def noise():
    """20 s of noise at 16 kHz, which FLAC can hardly compress: about 580 KB."""
    return np.random.default_rng(2).integers(-9000, 9000, (320_000, 1), np.int16)


def test_flac_holds_every_sample_of_the_recording(make, speech, decode, fake_detector, tmp_path):
    source = make("a.wav", "pcm_s16le", 16_000, "mono", sound=speech[:, None])
    made = optimize(source, tmp_path, detector=fake_detector)
    assert (made.format, made.bitrate, made.channels) == ("flac", None, 1)
    assert made.path == tmp_path / "audio.flac"
    assert made.decoded_ms == len(speech) // 16
    assert made.size_bytes == made.path.stat().st_size
    assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
    assert np.array_equal(decode(made.path)[:, 0], speech)
    assert made.warnings == ()


def test_the_regions_are_those_of_the_whole_recording(make, speech, silero, tmp_path):
    source = make("a.wav", "pcm_s16le", 16_000, "mono", sound=speech[:, None])
    made = optimize(source, tmp_path, detector=silero)
    stream, finder = silero.stream(), RegionFinder()
    finder.feed(stream.feed(speech).tolist())
    finder.feed(stream.finish().tolist())
    assert made.regions == finder.finish(made.decoded_ms)


def test_silence_has_no_regions(make, silero, tmp_path):
    source = make("a.flac", "flac", 16_000, "mono", sound=np.zeros((80_000, 1), np.int16))
    assert optimize(source, tmp_path, detector=silero).regions == ()


def test_separate_channels_have_regions_of_their_own(make, fake_detector, tmp_path, decode):
    sound = np.zeros((48_000, 2), np.int16)
    sound[16_000:32_000, 1] = np.random.default_rng(1).integers(-5000, 5000, 16_000)
    source = make("call.wav", "pcm_s16le", 16_000, "stereo", sound=sound)
    made = optimize(source, tmp_path, detector=fake_detector, channels="separate")
    (region,) = made.regions
    assert region.channel == 1
    assert (region.start_ms, region.end_ms) == pytest.approx((1000, 2000), abs=64)
    assert np.array_equal(decode(made.path, "separate"), sound)


def test_separate_channels_of_a_mono_file_are_mixed_with_a_warning(make, fake_detector, tmp_path):
    source = make("mono.wav", "pcm_s16le", 16_000, "mono")
    made = optimize(source, tmp_path, detector=fake_detector, channels="separate")
    assert made.channels == 1
    assert "Separate channels were requested" in made.warnings[0].message


def test_above_the_limit_flac_gives_way_to_opus_that_fits(make, noise, fake_detector, tmp_path):
    source = make("a.wav", "pcm_s16le", 16_000, "mono", sound=noise)
    made = optimize(source, tmp_path, detector=fake_detector, limit_bytes=200_000)
    assert made.format == "opus"
    assert made.bitrate == bitrate_for(200_000, 20)
    assert made.size_bytes <= 200_000
    assert [path.name for path in tmp_path.glob("audio.*")] == ["audio.opus"]
    assert made.timings.passes == 2


def test_opus_keeps_the_length_to_the_sample(make, noise, fake_detector, tmp_path, decode):
    source = make("a.wav", "pcm_s16le", 16_000, "mono", sound=noise[:300_077])
    made = optimize(source, tmp_path, detector=fake_detector, limit_bytes=200_000)
    assert len(decode(made.path)) == 300_077


def test_a_recording_too_long_even_for_32_kbit_goes_on_with_a_warning(
    make, noise, fake_detector, tmp_path
):
    source = make("a.wav", "pcm_s16le", 16_000, "mono", sound=noise)
    made = optimize(source, tmp_path, detector=fake_detector, limit_bytes=20_000)
    assert made.bitrate == 32_000
    assert "exceeds the limit of 20000" in made.warnings[-1].message


def test_flac_is_given_up_early_once_it_clearly_will_pass_the_limit(
    make, noise, fake_detector, tmp_path, monkeypatch
):
    monkeypatch.setattr(optimize_pass, "PROJECTED_FROM_MS", 5000)
    done = []
    source = make("a.wav", "pcm_s16le", 16_000, "mono", sound=noise)
    made = optimize(
        source, tmp_path, detector=fake_detector, limit_bytes=300_000, progress=done.append
    )
    assert made.format == "opus"
    first_pass = done[: done.index(min(done), 1)]
    assert max(first_pass) < 6000


def test_a_misjudged_length_gets_a_second_try_at_a_lower_bitrate(
    make, noise, fake_detector, tmp_path, monkeypatch
):
    monkeypatch.setattr(optimize_pass, "_total_ms", lambda blocks: blocks.decoded_ms)
    source = make("a.wav", "pcm_s16le", 16_000, "mono", sound=noise)
    made = optimize(source, tmp_path, detector=fake_detector, limit_bytes=150_000)
    assert made.timings.passes == 3
    assert made.size_bytes <= 150_000


@pytest.mark.parametrize(
    ("limit_bytes", "seconds", "bitrate"),
    [
        (100_000_000, 8 * 3600, 32_000),
        (100_000_000, 7200, 104_444),
        (100_000_000, 60, 128_000),
        (1, 0, 32_000),
    ],
)
def test_the_bitrate_stays_between_32_and_128_kbit(limit_bytes, seconds, bitrate):
    assert bitrate_for(limit_bytes, seconds) == bitrate


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("bitrate", [32_000, 128_000])
def test_opus_stays_within_its_margin(bitrate, channels, tmp_path, speech):
    path = tmp_path / "a.opus"
    with AudioWriter(path, "opus", channels, bitrate) as writer:
        for start in range(0, len(speech), 16_384):
            block = speech[start : start + 16_384]
            writer.write(np.repeat(block[:, None], channels, 1))
    assert path.stat().st_size * 8 * 0.94 < bitrate * len(speech) / 16_000


def test_a_refused_file_leaves_nothing_behind(make, fake_detector, tmp_path):
    source = make("a.mp3", "libmp3lame", seconds=10)
    source.write_bytes(source.read_bytes()[:40_000])
    with pytest.raises(Truncated):
        optimize(source, tmp_path, detector=fake_detector)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp3"]
    assert "speech-detection" not in {thread.name for thread in threading.enumerate()}


def test_stopping_leaves_nothing_behind(make, fake_detector, tmp_path):
    source = make("a.mp3", "libmp3lame", seconds=10)
    asked = iter([False] * 4)
    with pytest.raises(DecodeStopped):
        optimize(source, tmp_path, detector=fake_detector, stop=lambda: next(asked, True))
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp3"]


def test_a_failing_detector_fails_the_recording_and_does_not_hang(make, tmp_path):
    class Broken:
        version = "broken"

        def stream(self):
            raise RuntimeError("the model is broken")

    source = make("a.mp3", "libmp3lame", seconds=20)
    with pytest.raises(RuntimeError, match="the model is broken"):
        optimize(source, tmp_path, detector=Broken())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp3"]


def test_progress_rises_to_the_length(make, fake_detector, tmp_path):
    done = []
    made = optimize(
        make("a.mp3", "libmp3lame"), tmp_path, detector=fake_detector, progress=done.append
    )
    assert done == sorted(done)
    assert done[-1] == made.decoded_ms
