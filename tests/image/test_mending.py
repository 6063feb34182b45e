"""What was heard again is put in where it was said, and nothing is written twice."""

import dataclasses

import pytest

from gpu_job.speech.coverage import Gap
from gpu_job.speech.mending import later, mended
from gpu_job.speech.raw import RawSegment, RawWord


def said(text, at_ms=0, word_ms=400):
    """A segment of words that follow one another."""
    return RawSegment(
        tuple(
            RawWord(at_ms + i * word_ms, at_ms + (i + 1) * word_ms, word, 0.9)
            for i, word in enumerate(text.split())
        )
    )


def text_of(segments):
    return " ".join(segment.text for segment in segments)


GAP = Gap(2_000, 3_600, 0, 6_000)


def test_words_of_the_gap_stand_between_those_around_it():
    first = [said("a pint of sherry lobster"), said("cook until it is thick", 3_600)]
    again = [said("of sherry lobster put this in boiler cook until it", 800)]

    found, words = mended(first, again, GAP)

    assert text_of(found) == "a pint of sherry lobster put this in boiler cook until it is thick"
    assert words == 4


def test_one_segment_around_the_gap_is_parted_there():
    words = said("a pint of sherry lobster").words + said("cook until it is thick", 3_600).words
    again = [said("of sherry lobster put this in boiler cook until it", 800)]

    found, _ = mended([RawSegment(words)], again, GAP)

    assert text_of(found) == "a pint of sherry lobster put this in boiler cook until it is thick"


def test_other_readings_of_what_was_written_change_nothing():
    first = [said("a pint of sherry lobster"), said("cook until it is thick", 3_600)]
    again = [said("off cherry lobster", 800), said("book until it", 3_600)]

    found, words = mended(first, again, GAP)

    assert text_of(found) == text_of(first)
    assert words == 0


def test_case_and_marks_make_no_word_another():
    first = [said("a pint of sherry, Lobster."), said("cook until it is thick", 3_600)]
    again = [said("sherry lobster put this in boiler Cook, until", 1_200)]

    found, _ = mended(first, again, GAP)

    assert text_of(found).count("obster") == 1
    assert text_of(found).lower().count("cook") == 1


def test_a_word_that_was_stretched_over_the_gap_stands_before_it():
    first = [
        RawSegment(
            (*said("a pint of sherry").words, RawWord(1_600, 3_600, "lobster", 0.9)),
        ),
        said("cook until it is thick", 3_600),
    ]
    again = [said("of sherry lobster put this in boiler cook until it", 800)]

    found, _ = mended(first, again, GAP)

    assert text_of(found) == "a pint of sherry lobster put this in boiler cook until it is thick"
    starts = [word.start_ms for segment in found for word in segment.words]
    assert starts == sorted(starts)


def test_a_window_of_which_nothing_was_written_gets_all_that_is_heard():
    found, words = mended([], [said("all of it")], Gap(0, 2_000, 0, 2_000))

    assert text_of(found) == "all of it"
    assert words == 3


@pytest.mark.parametrize("again", [[], [said("a pint of sherry lobster")]])
def test_where_nothing_new_is_heard_nothing_changes(again):
    first = [said("a pint of sherry lobster"), said("cook until", 3_600)]

    assert mended(first, again, GAP) == (first, 0)


def test_what_is_said_again_in_the_gap_is_new():
    first = [said("yes yes yes"), said("no", 3_600)]
    again = [said("yes yes yes yes yes", 0, 700), said("no", 3_600)]

    found, words = mended(first, again, Gap(1_200, 3_600, 0, 6_000))

    assert text_of(found) == "yes yes yes yes yes no"
    assert words == 2


def test_times_are_shifted_by_where_the_stretch_begins():
    [moved] = later([said("so it is", 100)], 2_000)

    assert [word.start_ms for word in moved.words] == [2_100, 2_500, 2_900]


def test_a_mark_is_as_new_as_the_word_before_it():
    first = [said("it costs 3 .5%,"), said("it is old", 3_600)]

    repeated, none = mended(first, [said("costs 3 .5 % it is", 800, 500)], GAP)
    found, words = mended(first, [said("costs 3 .5 and 7 % it is", 800)], GAP)

    assert text_of(repeated) == text_of(first)
    assert none == 0
    assert text_of(found) == "it costs 3 .5%, and 7 % it is old"
    assert words == 3


def test_a_mark_that_opens_a_number_comes_with_it():
    second = [said("costs 3 and $ 7", 1_600), said("it", 3_600)]
    five = dataclasses.replace(second[0].words[-1], joins=True)
    second[0] = RawSegment((*second[0].words[:-1], five))

    found, _ = mended([said("it costs 3", 800), said("it is old", 3_600)], second, GAP)

    assert [word.text for segment in found for word in segment.words][3:6] == ["and", "$", "7"]
