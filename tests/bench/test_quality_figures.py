"""The gate's figures, each from a case worked by hand."""

from pathlib import Path

import pytest

from bench.quality import worse
from bench.quality_figures import (
    blanks_inside_words,
    by_set,
    removed_true_words,
    speakers,
    words_on_no_speech,
)
from bench.quality_sets import Case
from bench.quality_ways import Heard
from bench.speech_sets import Said

pytest.importorskip("jiwer", reason="the group `speech` is not installed: make .venv/.ready-speech")


def case(name, *said, layout="single", part="set", rttm=None):
    utterances = tuple(Said(0, 0, text, speaker) for speaker, text in said)
    return Case(name, part, layout, Path(name), "pt", utterances, rttm)


def words(*told):
    return [(1000 * i, 1000 * i + 500, text, who) for i, (text, who) in enumerate(told)]


def test_words_are_judged_by_set_and_layout():
    cases = [case("a", ("ana", "um dois três quatro")), case("b", ("ana", "cinco seis sete oito"))]
    ours = {"a": Heard(text="um dois três"), "b": Heard(text="cinco seis sete oito")}
    plain = {"a": Heard(text="um dois três quatro"), "b": Heard(text="cinco seis nove oito")}
    (both,) = by_set(cases, ours, plain)
    assert (both.ours.told, both.plain.told) == ("12.50 (0/1/0)", "12.50 (1/0/0)")
    assert both.points_worse == 0


def test_only_words_that_were_said_count_as_removed():
    heard = Heard(words=words(("um", ""), ("dois", "")), removed=[(1_500, "três"), (1_600, "bla")])
    assert removed_true_words([case("a", ("ana", "um dois três"))], {"a": heard}) == (1, 3)
    heard.removed = [(1_600, "bla")]
    assert removed_true_words([case("a", ("ana", "um dois três"))], {"a": heard}) == (0, 3)


def test_words_over_no_speech_are_counted_where_the_reference_is_empty():
    cases = [case("rain", ("", "")), case("talk", ("ana", "um"))]
    heard = {"rain": Heard(text="Thank you."), "talk": Heard(text="um")}
    assert words_on_no_speech(cases, heard) == 2


def test_a_blank_is_inside_a_word_where_the_model_itself_writes_none():
    cases = [case("a", ("ana", "x"))]
    plain = {"a": Heard(text="É preciso levá-lo, custa 3,50, e everyone d'água")}
    ours = {"a": Heard(text="É preciso levá -lo, custa 3 ,50, e every one d'água")}
    assert blanks_inside_words(cases, ours, plain) == 2
    assert blanks_inside_words(cases, plain, plain) == 0


def test_japanese_has_no_blanks_at_all():
    cases = [case("a", ("ana", "x"))]
    assert (
        blanks_inside_words(cases, {"a": Heard(text="今日 は")}, {"a": Heard(text="今日は")}) == 1
    )


def talk(tmp_path):
    """Two speakers of 5 s each, as an RTTM."""
    rttm = tmp_path / "talk.rttm"
    line = "SPEAKER talk 1 {} 5.0 <NA> <NA> {} <NA> <NA>\n"
    rttm.write_text(line.format(0, "a") + line.format(5, "b"))
    return case("talk", layout="turns", part="ami", rttm=rttm)


def spoken(name, *said, layout="gaps", part="set"):
    """Clips of 10 s, one after another, with a second of quiet at both ends of each."""
    utterances = tuple(
        Said(10_000 * i, 10_000 * i + 10_000, text, who, (10_000 * i + 1_000, 10_000 * i + 9_000))
        for i, (who, text) in enumerate(said)
    )
    return Case(name, part, layout, Path(name), "pt", utterances)


def test_speakers_are_counted_matched_and_timed(tmp_path):
    cases = [talk(tmp_path), spoken("joined", ("ana", "um dois"), ("rui", "três"))]
    heard = {
        "talk": Heard(turns=[(0, 6_000, "S0"), (6_000, 10_000, "S1")]),
        "joined": Heard(
            words=words(("um", "S0"), ("dois", "S0"), ("três", "S0")), turns=[(0, 3_000, "S0")]
        ),
    }
    found = speakers(cases, heard)
    assert found.der("ami") == pytest.approx(0.1)
    assert found.right == 0.5
    assert (found.cp_errors, found.cp_words) == (2, 3)


def test_clips_whose_speakers_are_known_count_as_turns_without_the_quiet_at_their_ends():
    cases = [spoken("joined", ("ana", "um"), ("rui", "dois")), spoken("single", ("ana", "um"))]
    both = [(1_000, 9_000, "S0"), (11_000, 19_000, "S1")]
    found = speakers(cases, {"joined": Heard(turns=both), "single": Heard(turns=both[:1])})
    assert (found.der(), found.right) == (0, 1)

    one = [(1_000, 19_000, "S0")]  # of 16 s: 2 s of quiet, and 8 s of another's
    found = speakers(cases[:1], {"joined": Heard(turns=one)})
    assert found.seconds["set", "gaps"].rate == pytest.approx((10 / 16, 0, 2 / 16, 8 / 16))
    assert found.right == 0


def test_nobody_is_counted_where_no_one_speaks_or_speakers_have_no_names():
    cases = [spoken("rain", ("", "")), spoken("talk", ("ana", "um"), ("", "dois"))]
    found = speakers(cases, {"rain": Heard(), "talk": Heard()})
    assert (found.der(), found.right) == (None, None)


def test_a_worse_figure_fails_and_chance_does_not():
    last = {"der": 0.12, "speed_ratio_to_batched": 1.3, "words_on_no_speech": 0}
    assert worse({"der": 0.125, "speed_ratio_to_batched": 1.2, "words_on_no_speech": 0}, last) == []
    assert worse({"der": 0.15, "speed_ratio_to_batched": 0.9, "words_on_no_speech": 101}, last) == [
        "words_on_no_speech is 101, and was 0",
        "der is 0.15, and was 0.12",
        "speed_ratio_to_batched is 0.9, and was 1.3",
    ]
