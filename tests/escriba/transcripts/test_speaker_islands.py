import pytest

from escriba.transcripts.speaker_islands import smooth_speaker_labels
from gpu_job.contract import Turn, Word


def said(*runs, gap_ms=50, word_ms=250):
    """Words and labels; a run is (speaker, words) or (speaker, words, pause before it in ms)."""
    words, labels, at = [], [], 0
    for speaker, text, *pause in runs:
        at += pause[0] if pause else gap_ms
        for each in text.split():
            words.append(Word(start_ms=at, end_ms=at + word_ms, text=each, probability=1))
            labels.append(speaker)
            at += word_ms + gap_ms
        at -= gap_ms
    return words, labels


def turn(speaker, start_ms, end_ms):
    return Turn(start_ms=start_ms, end_ms=end_ms, speaker=speaker)


@pytest.mark.parametrize("island", ["of", "of the", "of the court"])
def test_a_few_words_within_a_sentence_go_to_who_says_the_sentence(island):
    words, labels = said(
        ("A", "we heard the first part"), ("B", island), ("A", "in a session of it")
    )
    over_all = [turn("A", 0, words[-1].end_ms)]

    assert set(smooth_speaker_labels(words, labels, over_all)) == {"A"}


def test_four_words_are_no_island():
    words, labels = said(
        ("A", "one two three four five"),
        ("B", "six seven eight nine"),
        ("A", "ten ten ten ten ten"),
    )

    assert smooth_speaker_labels(words, labels, []) == labels


def test_a_back_channel_after_a_pause_stays():
    before, after = ("A", "and so we went on"), ("A", "to the next one")
    words, labels = said(before, ("B", "right", 400), after)

    assert smooth_speaker_labels(words, labels, [turn("A", 0, 10_000)]) == labels


def test_a_back_channel_that_is_a_sentence_of_its_own_stays():
    words, labels = said(
        ("A", "and so we went on."), ("B", "Yes."), ("A", "Then we came back home")
    )

    assert smooth_speaker_labels(words, labels, [turn("A", 0, 10_000)]) == labels


def test_a_back_channel_with_a_turn_of_its_own_stays():
    words, labels = said(("A", "and so we went on"), ("B", "right"), ("A", "to the next one"))
    start, end = words[5].start_ms, words[5].end_ms
    turns = [turn("A", 0, start), turn("B", start - 50, end + 50), turn("A", end, 9_000)]

    assert smooth_speaker_labels(words, labels, turns) == labels


def test_a_turn_too_short_to_be_one_keeps_no_island():
    words, labels = said(("A", "and so we went on"), ("B", "right"), ("A", "to the next one"))
    start, end = words[5].start_ms, words[5].end_ms
    turns = [turn("A", 0, start), turn("B", start + 50, end - 50), turn("A", end, 9_000)]

    assert smooth_speaker_labels(words, labels, turns) == ["A"] * len(words)


def test_quick_turns_of_a_word_each_are_talk_and_no_islands():
    words, labels = said(("A", "yes"), ("B", "no"), ("A", "yes"), ("B", "no"), ("A", "yes"))

    assert smooth_speaker_labels(words, labels, []) == labels


def test_words_between_two_different_speakers_stay():
    words, labels = said(("A", "so we went on"), ("B", "right"), ("C", "to the next one"))

    assert smooth_speaker_labels(words, labels, []) == labels
