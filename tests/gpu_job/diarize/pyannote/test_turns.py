"""Windows, frames, turns, and what is clustered: the arithmetic between the models."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_job.contract import SpeechRegion
from gpu_job.diarize.chunks import Chunks
from gpu_job.diarize.pyannote import turns
from gpu_job.diarize.pyannote.clusters import NO_SPEAKER
from gpu_job.diarize.pyannote.sampling import spread
from gpu_job.diarize.pyannote.turns import Grid, active_speakers, count_speakers, runs

pytestmark = pytest.mark.torch

SECOND = 16_000


def grid(frames, start=(0,), end_ms=100_000):
    """Frames of 10 ms, of which each sees 20 ms."""
    return Grid(np.array(start), frames, end_ms, 0.01, 0.02)


def flags(*rows):
    """One row of words for each speaker: 1 active, 0 not."""
    return np.array([[mark == "1" for mark in row] for row in rows]).T


regions = st.lists(
    st.tuples(st.integers(0, 120_000), st.integers(1, 30_000)).map(
        lambda both: SpeechRegion(start_ms=both[0], end_ms=sum(both))
    ),
    max_size=4,
).map(tuple)


@given(st.integers(1, 130 * SECOND), regions)
def test_exactly_the_windows_that_touch_speech_are_heard(length, speech):
    chunks = Chunks.over(length, speech, 10.0, 1.0)

    starts = range(0, max(1, length - 10 * SECOND + SECOND), SECOND)
    assert chunks.total == len(starts)
    assert chunks.heard.tolist() == [
        number
        for number, start in enumerate(starts)
        if any(
            r.start_ms * 16 < min(start + 10 * SECOND, length) and r.end_ms * 16 > start
            for r in speech
            if r.start_ms * 16 < length
        )
    ]


def test_a_window_is_the_recording_filled_up_with_silence():
    samples = np.full((2, 12 * SECOND + 5), 16_384, np.int16)
    chunks = Chunks.over(samples.shape[1], (SpeechRegion(start_ms=0, end_ms=13_000),), 10.0, 1.0)

    [first, last] = chunks.waveforms(samples, chunks.heard[[0, -1]])

    assert first.shape == (1, 10 * SECOND)
    assert first.dtype == np.float32
    assert np.all(first == 0.5)
    assert np.all(last[0, : 9 * SECOND + 5] == 0.5)
    assert not last[0, 9 * SECOND + 5 :].any()


def test_turns_begin_and_end_in_the_middle_of_a_frame_and_are_sorted():
    found = runs(flags("0011100", "0100011"), grid(7))

    assert found == [(20, 30, 1), (30, 60, 0), (60, 70, 1)]


def test_a_short_pause_joins_turns_of_one_speaker_only_when_asked():
    active = flags("1101100", "0010000")

    assert runs(active, grid(7)) == [(10, 30, 0), (30, 40, 1), (40, 60, 0)]
    assert runs(active, grid(7), 0.011) == [(10, 60, 0), (30, 40, 1)]
    assert len(runs(active, grid(7), 0.01)) == 3


def test_nothing_is_left_of_a_turn_behind_the_end():
    assert runs(flags("0011111"), grid(7, end_ms=45)) == [(30, 45, 0)]
    assert runs(flags("0000011"), grid(7, end_ms=45)) == []


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_slices_of_any_size_give_what_the_whole_gives(seed, size):
    dice = np.random.default_rng(seed)
    activity = dice.integers(0, 2, (9, 20, 3), np.uint8)
    speaker = dice.integers(NO_SPEAKER, 4, (9, 3))
    speaker[speaker == -1] = NO_SPEAKER
    speaker[0, 0] = 3
    where = grid(60, start=[0, 3, 6, 9, 12, 30, 33, 36, 40])

    def work():
        count = count_speakers(activity, where, lambda: None)
        return count, *active_speakers(activity, speaker, count, where, lambda: None)

    before, turns.FRAMES_AT_ONCE = turns.FRAMES_AT_ONCE, size
    try:
        sliced = work()
    finally:
        turns.FRAMES_AT_ONCE = before
    for ours, whole in zip(sliced, work(), strict=True):
        np.testing.assert_array_equal(ours, whole)


def test_frames_between_windows_that_were_heard_are_silent():
    activity = np.ones((2, 20, 3), np.uint8)

    count = count_speakers(activity, grid(60, start=[0, 40]), lambda: None)

    assert count.tolist() == [3] * 20 + [0] * 20 + [3] * 20


def test_what_is_clustered_is_spread_over_time_and_in_order():
    chosen = spread(58_000, 12_000)

    assert len(set(chosen.tolist())) == 12_000
    assert np.all(np.diff(chosen) > 0)
    assert np.diff(chosen).max() < 10
    assert np.array_equal(chosen, spread(58_000, 12_000))


@pytest.mark.parametrize("speakers", [2, 3, 4, 5])
def test_speakers_who_alternate_are_all_among_the_chosen(speakers):
    chosen = spread(6_000 * speakers, 6_000)

    counts = np.bincount(chosen % speakers, minlength=speakers)
    assert counts.min() > 0.8 * 6_000 / speakers


def test_few_are_all_chosen():
    assert spread(5, 12_000).tolist() == [0, 1, 2, 3, 4]
