"""Times of words: in order, inside, with a length, and not over a pause."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_job.transcribe.raw_segments import RawSegment, RawWord
from gpu_job.transcribe.word_times import AROUND_MS, LEAST_MS, in_order, timed, without_pause


def words(*spans):
    return [RawWord(start, end, "so", 0.9) for start, end in spans]


def spans(found):
    return [(word.start_ms, word.end_ms) for word in found]


def never(_start_ms, _end_ms):
    raise AssertionError("no word is long enough to be looked at")


TIMES = st.integers(-500, 31_000)


@given(st.lists(st.tuples(TIMES, TIMES), max_size=80), st.integers(8_000, 30_000))
def test_words_are_in_order_inside_the_window_and_have_a_length(times, length_ms):
    found = spans(in_order(words(*times), length_ms))

    assert len(found) == len(times)
    assert all(0 <= start < end <= length_ms for start, end in found)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(found))


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(LEAST_MS, 900)), max_size=30))
def test_times_that_are_right_are_left_alone(steps):
    at, right = 0, []
    for gap, length in steps:
        right.append((at + gap, at + gap + length))
        at += gap + length

    assert spans(in_order(words(*right), at)) == right


def test_words_at_one_instant_share_the_time_until_the_next():
    found = in_order(words((0, 1_000), (1_000, 1_000), (1_000, 1_000), (1_400, 1_800)), 2_000)

    assert spans(found) == [(0, 1_000), (1_000, 1_060), (1_060, 1_120), (1_400, 1_800)]


def test_words_at_the_very_end_find_their_room_before_it():
    found = in_order(words((0, 2_000), (2_000, 2_000), (2_000, 2_000)), 2_000)

    assert spans(found) == [(0, 1_880), (1_880, 1_940), (1_940, 2_000)]


@pytest.mark.parametrize(
    ("sounds", "right"),
    [
        ([(0, 200), (2_400, 3_000)], (2_400 - AROUND_MS, 3_000)),  # the pause before it
        ([(0, 500), (2_900, 3_000)], (0, 500 + AROUND_MS)),  # the pause after it
        ([(0, 1_400), (1_600, 3_000)], (0, 3_000)),  # somebody drawls
        ([], (0, 3_000)),  # nothing is heard: no better time is known
    ],
)
def test_a_word_over_a_pause_stands_where_it_sounds(sounds, right):
    [word] = words((0, 3_000))

    assert spans([without_pause(word, lambda _a, _b: sounds)]) == [right]


def test_a_word_of_ordinary_length_costs_no_look():
    [word] = words((0, 900))

    assert without_pause(word, never) == word


def test_each_segment_keeps_its_own_words():
    one = RawSegment(tuple(words((0, 0), (0, 400))), logprob=-0.1)
    other = RawSegment(tuple(words((300, 300))), logprob=-0.2)

    found = timed([one, other], 1_000, never)

    assert [(each.logprob, spans(each.words)) for each in found] == [
        (-0.1, [(0, 60), (60, 300)]),
        (-0.2, [(300, 360)]),
    ]
