"""Which stretches of a window hold speech and no word."""

import pytest

from gpu_job.contract import SpeechRegion
from gpu_job.speech.coverage import lost
from gpu_job.speech.doubts import Believed, Removal
from gpu_job.speech.raw import RawSegment, RawWord
from gpu_job.speech.windows import laid_out

WINDOW = laid_out(0, [(60_000, 80_000)])
ALL = (SpeechRegion(start_ms=60_000, end_ms=80_000),)


def somebody(start_ms, end_ms):
    return end_ms - start_ms


def gaps(spans, removals=(), window=WINDOW, regions=ALL):
    """What is lost beside words at these spans of the window, in the recording's time."""
    words = tuple(RawWord(a, b, "so", 0.9) for a, b in spans)
    segments = (RawSegment(words),) if words else ()
    found = lost(window, Believed(segments, tuple(removals)), regions, somebody)
    return [[(piece.start_ms, piece.end_ms) for piece in gap.pieces] for gap in found]


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ([(0, 20_000)], []),
        ([], [[(60_000, 80_000)]]),
        ([(0, 5_000)], [[(65_000, 80_000)]]),
        ([(5_000, 20_000)], [[(60_000, 65_000)]]),
        ([(0, 8_000), (10_999, 20_000)], []),
        ([(0, 8_000), (11_000, 20_000)], [[(68_000, 71_000)]]),
        ([(0, 19_000), (2_000, 3_000), (19_000, 20_000)], []),  # one word lies in another
    ],
)
def test_three_seconds_of_speech_without_a_word_are_lost(spans, found):
    assert gaps(spans) == found


@pytest.mark.parametrize(
    ("reason", "found"),
    [("no_speech", []), ("boilerplate", []), ("repetition", [[(64_000, 80_000)]])],
)
def test_what_was_taken_out_is_lost_only_where_a_loop_stood_for_it(reason, found):
    assert gaps([(0, 4_000)], [Removal(4_000, 20_000, "so", reason)]) == found


@pytest.mark.parametrize(
    "regions",
    [
        (SpeechRegion(start_ms=60_000, end_ms=66_000),),  # beyond, it is a pause
        (ALL[0].model_copy(update={"channel": 1}),),  # somebody else's
    ],
)
def test_where_no_region_says_that_somebody_speaks_nothing_is_lost(regions):
    assert gaps([(0, 4_000)], regions=regions) == []


def test_a_gap_over_a_cut_pause_keeps_the_time_of_both_its_pieces():
    window = laid_out(0, [(0, 6_000), (90_000, 96_000)])
    regions = [SpeechRegion(start_ms=a, end_ms=a + 6_000) for a in (0, 90_000)]

    assert gaps([(0, 4_000), (9_000, 12_000)], window=window, regions=regions) == [
        [(4_000, 6_000), (90_000, 93_000)]
    ]
    assert gaps([(6_000, 12_000)], window=window, regions=regions) == [[(0, 6_000)]]
