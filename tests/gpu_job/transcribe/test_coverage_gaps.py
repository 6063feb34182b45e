"""Which stretches of a window hold speech and no word."""

import pytest

from gpu_job.contract import SpeechRegion
from gpu_job.transcribe.coverage_gaps import CONTEXT_MS, gaps, part_of
from gpu_job.transcribe.raw_segments import RawWord
from gpu_job.transcribe.windows import laid_out

WINDOW = laid_out(0, [(60_000, 80_000)])
ALL = (SpeechRegion(start_ms=60_000, end_ms=80_000),)


def somebody(start_ms, end_ms):
    return end_ms - start_ms


def lost(spans, silent=(), window=WINDOW, regions=ALL, heard=somebody):
    """What is lost beside words at these spans of the window."""
    words = [RawWord(a, b, "w" * 500, 0.9) for a, b in spans]
    return [(gap.low_ms, gap.high_ms) for gap in gaps(window, words, silent, regions, heard)]


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ([(0, 20_000)], []),
        ([], [(0, 20_000)]),
        ([(0, 5_000)], [(5_000, 20_000)]),
        ([(5_000, 20_000)], [(0, 5_000)]),
        ([(0, 8_000), (8_600, 20_000)], []),  # a breath
        ([(0, 8_000), (8_800, 20_000)], [(8_000, 8_800)]),  # "a few words"
        ([(0, 19_000), (2_000, 3_000), (19_000, 20_000)], []),  # one word lies in another
    ],
)
def test_two_short_words_of_speech_without_a_word_are_lost(spans, found):
    assert lost(spans) == found


def test_a_word_that_was_stretched_over_a_clause_does_not_cover_it():
    words = [RawWord(0, 4_000, "fat", 0.9), RawWord(4_000, 20_000, "w" * 500, 0.9)]

    [gap] = gaps(WINDOW, words, (), ALL, somebody)

    assert gap.low_ms < 800
    assert 3_200 < gap.high_ms < 4_000


def test_where_the_detector_hears_little_nothing_is_lost():
    assert lost([(0, 8_000), (10_000, 20_000)], heard=lambda _low, _high: 300) == []


def test_what_was_taken_out_where_nobody_speaks_is_not_lost():
    assert lost([(0, 4_000)], silent=[(4_000, 20_000)]) == []


@pytest.mark.parametrize(
    "regions",
    [
        (SpeechRegion(start_ms=60_000, end_ms=64_500),),  # beyond, it is a pause
        (ALL[0].model_copy(update={"channel": 1}),),  # somebody else's
    ],
)
def test_where_no_region_says_that_somebody_speaks_nothing_is_lost(regions):
    assert lost([(0, 4_000)], regions=regions) == []


def test_what_stands_beside_a_gap_is_heard_again_too_within_the_window():
    [first] = gaps(WINDOW, [RawWord(1_000, 20_000, "w" * 500, 0.9)], (), ALL, somebody)
    words = [RawWord(0, 9_000, "w" * 500, 0.9), RawWord(10_000, 20_000, "w" * 500, 0.9)]
    [middle] = gaps(WINDOW, words, (), ALL, somebody)

    assert (first.from_ms, first.to_ms) == (0, 1_000 + CONTEXT_MS)
    assert (middle.from_ms, middle.to_ms) == (9_000 - CONTEXT_MS, 10_000 + CONTEXT_MS)


def test_a_part_over_a_cut_pause_keeps_the_time_of_both_its_pieces():
    window = laid_out(0, [(0, 6_000), (90_000, 96_000)])

    def spans(low, high):
        return [(piece.start_ms, piece.end_ms) for piece in part_of(window, low, high).pieces]

    assert spans(4_000, 9_000) == [(4_000, 6_000), (90_000, 93_000)]
    assert spans(0, 6_000) == [(0, 6_000)]
