"""Quiet recordings are heard as loud ones are; what is loud enough is not touched."""

import wave
from fractions import Fraction

import av
import numpy as np
import pytest

from escriba.audio.optimize import optimize
from escriba.audio.speech_level import TARGET_DBFS

RATE_HZ = 16_000


@pytest.fixture
def quiet(tmp_path, speech):
    """Speech, so much quieter, as 32-bit floating point in a WAV."""

    def make(db, sound=speech):
        path = tmp_path / f"at{db}.wav"
        samples = (sound / np.float32(32_768) * np.float32(10 ** (db / 20))).astype(np.float32)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_f32le", rate=RATE_HZ, layout="mono")
            frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
            frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
            container.mux([*stream.encode(frame), *stream.encode(None)])
        return path

    return make


def spoken(regions):
    """Which of the 10 ms of 45 s hold speech."""
    marks = np.zeros(6_000, np.bool_)
    for region in regions:
        marks[region.start_ms // 10 : region.end_ms // 10] = True
    return marks


@pytest.mark.parametrize("db", [-45, -60])
def test_quiet_speech_is_found_where_loud_speech_is(quiet, silero, tmp_path, decode, db):
    usual = optimize(quiet(0), tmp_path, detector=silero)
    expected, sound = spoken(usual.regions), decode(usual.path)[:, 0].astype(float)

    made = optimize(quiet(db), tmp_path, detector=silero)

    assert made.gain_db > 10
    assert made.speech_dbfs == pytest.approx(usual.speech_dbfs + db, abs=5)  # 16 bits add noise
    assert made.speech_dbfs + made.gain_db == pytest.approx(TARGET_DBFS, abs=0.1)
    assert (spoken(made.regions) != expected).mean() < 0.03
    heard = decode(made.path)[:, 0].astype(float)
    assert np.corrcoef(heard, sound)[0, 1] > 0.999  # 16 bits of it would have been six


def test_speech_of_a_usual_level_keeps_every_sample(quiet, silero, tmp_path, decode, speech):
    made = optimize(quiet(0), tmp_path, detector=silero)

    assert made.gain_db == 0
    assert np.array_equal(decode(made.path)[:, 0], speech)
    assert made.timings.passes == 1


def test_quiet_noise_is_not_made_loud(quiet, silero, tmp_path, decode):
    noise = np.random.default_rng(3).normal(0, 3_000, RATE_HZ * 20)

    made = optimize(quiet(-45, noise), tmp_path, detector=silero)

    assert made.regions == ()
    assert made.gain_db == 0
    assert np.abs(decode(made.path)).max() < 200
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".wav"] == ["audio.flac"]


def test_silence_is_read_once(silero, tmp_path):
    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(bytes(RATE_HZ * 10))

    made = optimize(path, tmp_path, detector=silero)

    assert (made.speech_dbfs, made.gain_db, made.timings.passes) == (None, 0, 1)
