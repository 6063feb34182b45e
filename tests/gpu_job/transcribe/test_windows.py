"""Where windows end: a Whisper leaves out a sentence that the end of a window cuts off."""

from gpu_job.contract import SpeechRegion
from gpu_job.transcribe.windows import CARRIED_MS, WINDOW_MS, pack


def ends(*parts):
    """The last region in each window, of regions as (pause before, length) in ms."""
    regions, at = [], 0
    for pause, length in parts:
        regions.append(SpeechRegion(start_ms=at + pause, end_ms=at + pause + length))
        at += pause + length
    windows = pack(regions, at + 1_000)
    return [
        max(i for i, region in enumerate(regions) if region.start_ms < window.pieces[-1].end_ms)
        for window in windows
    ]


CLAUSE = (150, 2_500)  # within a sentence
SENTENCE = (800, 2_500)


def test_a_full_window_ends_with_a_sentence():
    """Eleven fit; the tenth and eleventh belong to a sentence that goes on."""
    assert ends(*[CLAUSE] * 9, SENTENCE, *[CLAUSE] * 6) == [8, 15]


def test_somebody_who_hesitates_ends_no_sentence():
    """Seven seconds before the window is full another speaker begins; then there is a 'well'."""
    hesitation = (600, 2_500)
    parts = [*[CLAUSE] * 8, (3_000, 2_500), CLAUSE, hesitation, *[CLAUSE] * 5]

    assert ends(*parts) == [7, 15]


def test_a_pause_that_is_hardly_longer_leaves_no_window_emptier():
    assert ends(*[CLAUSE] * 9, (200, 2_500), *[CLAUSE] * 6)[0] > 8


def test_no_window_is_left_emptier_than_by_what_may_be_carried():
    """The only long pause lies too early."""
    parts = [*[CLAUSE] * 3, (5_000, 2_500), *[CLAUSE] * 16]
    regions = [SpeechRegion(start_ms=i * 2_650, end_ms=i * 2_650 + 2_500) for i in range(400)]

    assert ends(*parts)[0] > 3
    assert all(
        window.length_ms >= WINDOW_MS - CARRIED_MS for window in pack(regions, 1_100_000)[:-1]
    )


def test_speech_with_pauses_between_sentences_fills_its_windows():
    assert ends(*[SENTENCE] * 40)[:2] == [8, 17]
