"""Quiet speech is made louder before it is rounded to 16 bits; nothing else is touched."""

import numpy as np
import pytest

from escriba.audio.speech_level import QUIET_DBFS, TARGET_DBFS, LevelMeter, amplified

RATE_HZ = 16_000
FRAME = 512


def metered(*parts):
    """The level of stretches of noise: (seconds, dBFS, whether the detector hears speech)."""
    meter, dice = LevelMeter(), np.random.default_rng(1)
    for seconds, dbfs, is_speech in parts:
        frames = round(seconds * RATE_HZ / FRAME)
        noise = dice.normal(0, 10 ** (dbfs / 20) * 32768, frames * FRAME)
        samples = np.clip(np.rint(noise), -32768, 32767).astype(np.int16)
        meter.feed(samples, np.full(frames, is_speech))
    return meter.level


@pytest.mark.parametrize("dbfs", [-12, -20, -30, -38])
def test_speech_of_a_usual_level_stays_as_it_is(dbfs):
    assert metered((10, dbfs, True), (50, -60, False)).gain_db == 0.0


@pytest.mark.parametrize("dbfs", [-44, -60, -70])
def test_quiet_speech_is_brought_to_the_level_of_speech(dbfs):
    level = metered((10, dbfs, True), (50, dbfs - 25, False))

    assert level.is_speech
    assert level.dbfs + level.gain_db == pytest.approx(TARGET_DBFS, abs=0.1)


def test_the_speech_decides_however_little_of_the_recording_it_is():
    sparse = metered((2, -55, True), (3_600, -75, False))

    assert sparse.dbfs == pytest.approx(-55, abs=2)


def test_a_loud_speaker_among_quiet_ones_is_not_made_louder():
    assert metered((60, -55, True), (20, -25, True)).gain_db == 0.0


def test_where_the_detector_hears_nothing_the_loudest_sound_decides():
    level = metered((60, -85, False), (1, -70, False))

    assert not level.is_speech
    assert level.gain_db == pytest.approx(TARGET_DBFS + 70, abs=2)


def test_silence_has_no_level_and_no_gain():
    meter = LevelMeter()
    meter.feed(np.zeros(RATE_HZ, np.int16), np.zeros(31, np.bool_))

    assert meter.level.dbfs is None
    assert meter.level.gain_db == 0.0
    assert LevelMeter().level.gain_db == 0.0


def test_blocks_of_any_length_give_the_same_level():
    noise = np.random.default_rng(2).normal(0, 100, RATE_HZ * 5).astype(np.int16)
    whole, pieces = LevelMeter(), LevelMeter()
    whole.feed(noise, np.ones(len(noise) // FRAME, np.bool_))
    rest = 0
    for start in range(0, len(noise), 700):
        piece = noise[start : start + 700]
        frames, rest = divmod(rest + len(piece), FRAME)
        pieces.feed(piece, np.ones(frames, np.bool_))

    assert pieces.level == whole.level
    assert whole.level.dbfs < QUIET_DBFS


def test_quiet_sound_keeps_its_shape_when_it_is_made_louder():
    tone = np.sin(np.arange(1_600) / 5).astype(np.float32)
    quiet = tone * np.float32(0.3e-3)

    louder = amplified(quiet, 60.0) / 32767

    assert np.abs(louder - tone * 0.3).max() < 1e-4  # an int16 of it has ten steps


def test_a_bang_in_a_quiet_recording_is_bent_and_not_cut():
    ramp = np.linspace(-0.05, 0.05, 1_001, dtype=np.float32)

    louder = amplified(ramp, 40.0).astype(int)

    assert np.abs(louder).max() <= 32_767
    assert (np.diff(louder) >= 0).all()
    assert len(set(louder.tolist())) > 300  # no plateau over what is above the knee
