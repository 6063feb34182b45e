"""Segments that people can read, and windows that cost as little as can be."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_job.contract import SpeechRegion
from gpu_job.transcribe.quietest_point import quietest
from gpu_job.transcribe.raw_segments import RawSegment, RawWord, raw_segment
from gpu_job.transcribe.segments import TOO_LONG_MS, TOO_MANY_WORDS, segments_of
from gpu_job.transcribe.windows import Piece, Window, laid_out, pack

WHOLE = Window(0, (Piece(0, 30_000, 0),))


def paragraph(*spans, text="so"):
    return RawSegment(tuple(RawWord(a, b, text, 0.9) for a, b in spans))


def lengths(raw):
    return [len(segment.words) for segment in segments_of(raw, WHOLE)]


def test_a_pause_of_a_second_ends_a_segment():
    assert lengths(paragraph((0, 400), (500, 900), (1_900, 2_000))) == [2, 1]


def test_after_seven_seconds_the_end_of_a_sentence_ends_it():
    words = [
        RawWord(i * 500, i * 500 + 400, "so." if i in {5, 15} else "so", 0.9) for i in range(20)
    ]

    assert lengths(RawSegment(tuple(words))) == [16, 4]


def test_a_paragraph_is_cut_at_its_longest_pause_near_the_middle():
    spans = [(i * 700, i * 700 + (300 if i == 13 else 600)) for i in range(24)]

    assert lengths(paragraph(*spans)) == [14, 10]


@given(st.lists(st.tuples(st.integers(0, 1_500), st.integers(1, 900)), min_size=1, max_size=120))
def test_no_word_is_lost_and_no_segment_is_a_paragraph(steps):
    spans, at = [], 0
    for gap, length in steps:
        spans.append((at + gap, at + gap + length))
        at += gap + length
    window = Window(0, (Piece(0, at, 0),))

    segments = list(segments_of(paragraph(*spans), window))

    assert [(w.start_ms, w.end_ms) for s in segments for w in s.words] == spans
    for segment in segments:
        assert len(segment.words) <= TOO_MANY_WORDS
        assert segment.end_ms - segment.start_ms <= TOO_LONG_MS or len(segment.words) < 4


def test_what_is_longer_than_a_window_is_cut_where_it_is_quiet():
    samples = np.full((1, 16_000 * 100), 9_000, np.int16)
    for second in (26, 53, 80):
        samples[0, 16_000 * second : 16_000 * second + 8_000] = 0
    region = SpeechRegion(start_ms=0, end_ms=100_000)

    windows = pack([region], 100_000, quietest(samples))

    cuts = [window.pieces[-1].end_ms for window in windows[:-1]]
    assert [cut // 1000 for cut in cuts] == [26, 53, 80]
    assert windows[-1].pieces[-1].end_ms == 100_000


def test_a_region_without_length_is_no_window():
    assert pack([SpeechRegion(start_ms=0, end_ms=0)], 0) == []


@pytest.mark.parametrize(("gap_seconds", "most"), [(0.6, 1.35), (2.5, 1.39)])
def test_eight_hours_of_a_hearing_take_few_more_windows_than_can_be(gap_seconds, most):
    """The ideal is all speech in full windows; a lecture and a hearing, as they were simulated."""
    dice, at, regions = np.random.default_rng(1), 0.0, []
    while at < 8 * 3600:
        length = min(29, dice.exponential(5) + 0.3)
        regions.append(SpeechRegion(start_ms=int(at * 1000), end_ms=int((at + length) * 1000)))
        at += length + dice.exponential(gap_seconds)

    windows = pack(regions, int(at * 1000))

    ideal = sum(region.end_ms - region.start_ms for region in regions) / 30_000
    assert len(windows) / ideal <= most


def test_a_region_that_goes_beyond_the_audio_shifts_no_window_behind_it():
    """An Opus file may end half a second before its recording; two channels go side by side."""
    regions = [SpeechRegion(start_ms=0, end_ms=2_000, channel=c) for c in (0, 1)]

    assert [window.length_ms for window in pack(regions, 1_600)] == [1_600, 1_600]


def test_a_region_that_lies_beyond_the_audio_is_not_heard():
    assert pack([SpeechRegion(start_ms=1_700, end_ms=2_000)], 1_600) == []


def test_what_two_regions_share_is_heard_once():
    spans = [(0, 5_000), (1_000, 2_000), (4_000, 6_000), (9_000, 9_500)]
    windows = pack([SpeechRegion(start_ms=a, end_ms=b) for a, b in spans], 10_000)

    pieces = [(p.start_ms, p.end_ms) for window in windows for p in window.pieces]
    assert pieces == [(0, 6_350), (8_650, 9_850)]


def test_a_word_whose_probability_is_no_number_is_believed_least():
    word = SimpleNamespace(start=0.0, end=0.4, word=" so", probability=float("nan"))
    found = SimpleNamespace(words=[word], avg_logprob=0, no_speech_prob=0, compression_ratio=1)

    assert raw_segment(found, 0).words[0].probability == 0.0


def test_windows_of_two_channels_follow_each_other_in_time():
    """What is done of a recording is told, and kept, in time order."""
    spans = [(0, 60_000), (0, 0), (1, 30_000)]
    regions = [SpeechRegion(start_ms=at, end_ms=at + 20_000, channel=c) for c, at in spans]

    assert [window.channel for window in pack(regions, 90_000)] == [0, 1, 0]


def test_a_word_over_a_cut_pause_lies_where_most_of_it_is():
    window = laid_out(0, [(0, 1_000), (5_000, 6_000)])

    assert window.recording_span(900, 1_300) == (5_000, 5_300)
    assert window.recording_span(600, 1_100) == (600, 1_000)


def test_a_window_begins_and_ends_with_a_little_of_the_pause_around_it():
    [window] = pack([SpeechRegion(start_ms=1_000, end_ms=2_000)], 5_000)

    assert window.pieces == (Piece(650, 2_350, 0),)


@pytest.mark.parametrize(
    ("comma_at", "found"), [(None, [12, 12]), (9, [10, 14])], ids=["its middle", "a comma"]
)
def test_without_a_pause_a_paragraph_is_cut_at(comma_at, found):
    texts = ["so," if i == comma_at else "so" for i in range(24)]
    words = tuple(RawWord(i * 700, i * 700 + 700, text, 0.9) for i, text in enumerate(texts))

    assert lengths(RawSegment(words)) == found


def test_a_segment_ends_with_the_word_that_ends_last():
    [segment] = segments_of(paragraph((0, 900), (100, 300)), WHOLE)

    assert (segment.start_ms, segment.end_ms) == (0, 900)
