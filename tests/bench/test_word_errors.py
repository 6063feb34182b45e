"""WER counts each kind of error, and knows which written words were said."""

import pytest

from bench.word_errors import WordErrors, matched, normalized, word_errors

pytest.importorskip("jiwer", reason="the group `speech` is not installed: make .venv/.ready-speech")


def test_each_kind_of_error_is_counted():
    found = word_errors(["a", "b", "c", "d"], ["a", "x", "c", "d", "e"])
    assert found == WordErrors(words=4, substitutions=1, deletions=0, insertions=1)
    assert found.wer == 0.5
    assert found.told == "50.00 (1/0/1)"


def test_nothing_written_is_all_deleted_and_nothing_said_is_all_inserted():
    assert word_errors(["a", "b"], []) == WordErrors(words=2, deletions=2)
    assert word_errors([], ["a", "b"]) == WordErrors(insertions=2)


def test_errors_add_up_over_recordings():
    total = WordErrors(10, 1, 2, 3) + WordErrors(20, 1, 1, 1)
    assert total == WordErrors(30, 2, 3, 4)
    assert total.wer == pytest.approx(0.3)


def test_words_that_were_said_are_told_from_those_that_were_not():
    assert matched(["the", "plan", "is", "good"], ["so", "the", "plan", "was", "good"]) == {1, 2, 4}


def test_case_punctuation_and_english_spelling_make_no_errors():
    said = normalized("mister hale did not pay", "en")
    assert normalized("Mr. Hale didn't pay!", "en") == said
    assert normalized("Levá-lo à água.", "pt") == ["levá", "lo", "à", "água"]
