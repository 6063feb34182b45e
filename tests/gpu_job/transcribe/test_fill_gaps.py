"""What was heard again is put in where it was said, and nothing is written twice."""

import pytest

from gpu_job.transcribe.coverage_gaps import SpeechGap
from gpu_job.transcribe.fill_gaps import merge_words, shifted
from gpu_job.transcribe.raw_segments import RawSegment, RawWord


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


GAP = SpeechGap(2_000, 3_600, 0, 6_000)


def test_words_of_the_gap_stand_between_those_around_it():
    first = [said("a pint of sherry lobster"), said("cook until it is thick", 3_600)]
    again = [said("of sherry lobster put this in boiler cook until it", 800)]

    found, words = merge_words(first, again, GAP)

    assert text_of(found) == "a pint of sherry lobster put this in boiler cook until it is thick"
    assert words == 4


def test_one_segment_around_the_gap_is_parted_there():
    words = said("a pint of sherry lobster").words + said("cook until it is thick", 3_600).words
    again = [said("of sherry lobster put this in boiler cook until it", 800)]

    found, _ = merge_words([RawSegment(words)], again, GAP)

    assert text_of(found) == "a pint of sherry lobster put this in boiler cook until it is thick"


def test_other_readings_of_what_was_written_change_nothing():
    first = [said("a pint of sherry lobster"), said("cook until it is thick", 3_600)]
    again = [said("off cherry lobster", 800), said("book until it", 3_600)]

    found, words = merge_words(first, again, GAP)

    assert text_of(found) == text_of(first)
    assert words == 0


def test_case_and_marks_make_no_word_another():
    first = [said("a pint of sherry, Lobster."), said("cook until it is thick", 3_600)]
    again = [said("sherry lobster put this in boiler Cook, until", 1_200)]

    found, _ = merge_words(first, again, GAP)

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

    found, _ = merge_words(first, again, GAP)

    assert text_of(found) == "a pint of sherry lobster put this in boiler cook until it is thick"
    starts = [word.start_ms for segment in found for word in segment.words]
    assert starts == sorted(starts)


def test_a_window_of_which_nothing_was_written_gets_all_that_is_heard():
    found, words = merge_words([], [said("all of it")], SpeechGap(0, 2_000, 0, 2_000))

    assert text_of(found) == "all of it"
    assert words == 3


@pytest.mark.parametrize("again", [[], [said("a pint of sherry lobster")]])
def test_where_nothing_new_is_heard_nothing_changes(again):
    first = [said("a pint of sherry lobster"), said("cook until", 3_600)]

    assert merge_words(first, again, GAP) == (first, 0)


def test_what_is_said_again_in_the_gap_is_new():
    first = [said("yes yes yes"), said("no", 3_600)]
    again = [said("yes yes yes yes yes", 0, 700), said("no", 3_600)]

    found, words = merge_words(first, again, SpeechGap(1_200, 3_600, 0, 6_000))

    assert text_of(found) == "yes yes yes yes yes no"
    assert words == 2


def test_times_are_shifted_by_where_the_stretch_begins():
    [moved] = shifted([said("so it is", 100)], 2_000)

    assert [word.start_ms for word in moved.words] == [2_100, 2_500, 2_900]


def number(*parts, at_ms=0):
    """A number as a Whisper writes it, each (text, length in ms) joining the one before."""
    words = []
    for text, length_ms in parts:
        words.append(RawWord(at_ms, at_ms + length_ms, text, 0.9, joins=bool(words)))
        at_ms += length_ms
    return RawSegment(tuple(words))


@pytest.mark.parametrize(
    "again",
    [
        number(("3", 400), (".5", 700), ("%", 800), at_ms=1_600),  # a rest of it
        number(("%", 800), at_ms=2_500),  # a mark alone
    ],
)
def test_a_rest_or_a_mark_is_no_new_word(again):
    first = [said("it costs so much"), number(("3", 400), (".5%,", 400), at_ms=1_600)]

    found, words = merge_words(first, [again], GAP)

    assert text_of(found) == "it costs so much 3.5%,"
    assert words == 0


def test_a_whole_number_that_was_lost_is_put_in_with_its_marks():
    again = number(("3", 300), (".5", 300), ("%", 300), at_ms=2_200)

    found, words = merge_words([said("it costs so", 0)], [again], GAP)

    assert text_of(found) == "it costs so 3.5%"
    assert words == 3
