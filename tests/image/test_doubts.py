"""What large models write over silence goes; what people say stays."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_job.speech.boilerplate import PHRASES, is_boilerplate
from gpu_job.speech.doubts import believe
from gpu_job.speech.loops import looped
from gpu_job.speech.raw import RawSegment, RawWord

KNOWN = json.loads((Path(__file__).parent / "hallucinations.json").read_text(encoding="utf-8"))
WORD_MS = 400


def segment(text, *, at_ms=0, words=(0.95,), **sure):
    texts = text.split()
    made = tuple(
        RawWord(at_ms + WORD_MS * i, at_ms + WORD_MS * (i + 1), each, words[min(i, len(words) - 1)])
        for i, each in enumerate(texts)
    )
    return RawSegment(made, **({"logprob": -0.2} | sure))


def nobody(_start_ms, _end_ms):
    return 0


def somebody(start_ms, end_ms):
    return end_ms - start_ms


def never(_start_ms, _end_ms):
    raise AssertionError("the detector costs time, and nothing was in doubt")


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: f"{known['language']}: {known['text']}")
def test_what_is_known_to_be_written_over_silence_is_removed(known):
    raw = segment(
        known["text"],
        logprob=known["logprob"],
        no_speech=known["no_speech"],
        words=known["words"],
    )

    believed = believe([raw], known["language"], nobody)

    assert believed.segments == ()
    assert [removal.text for removal in believed.removals if removal.reason != "repetition"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pt", "Obrigado."),
        ("pt", "Muito obrigado, presidente."),
        ("en", "Thank you very much."),
        ("en", "Okay."),
        ("pt", "Não, não, não, não."),
        ("en", "Thank you for watching over the children."),
        ("pt", "A legenda do gráfico está errada."),
    ],
)
def test_the_same_words_are_kept_where_somebody_says_them(language, text):
    assert believe([segment(text)], language, somebody).segments == (segment(text),)


def test_a_short_thanks_in_a_long_silence_is_not_enough():
    """A phrase that the model stretched over ten seconds, in which a cough was heard."""
    words = (RawWord(0, 5_000, "Thank", 0.9), RawWord(5_000, 10_000, "you.", 0.9))
    stretched = RawSegment(words, -0.2)

    believed = believe([stretched], "en", lambda _a, _b: 300)

    assert [removal.reason for removal in believed.removals] == ["boilerplate"]


def test_clear_speech_never_costs_a_look_of_the_detector():
    clear = [segment("Bom dia a todos."), segment("Vamos começar.", at_ms=4000)]

    assert believe(clear, "pt", never).segments == tuple(clear)


@pytest.mark.parametrize(
    "doubt",
    [
        {"logprob": -0.8},
        {"no_speech": 0.5},
        {"words": [0.4]},
        {"compression": 3.0},
    ],
)
def test_each_sign_of_doubt_is_followed_up(doubt):
    raw = segment("a página está pronta", **doubt)

    assert believe([raw], "pt", nobody).segments == ()
    assert believe([raw], "pt", somebody).segments == (raw,)


def test_one_word_that_the_model_hardly_believes_is_a_sign_of_doubt():
    raw = segment("a página está pronta", words=[0.95, 0.95, 0.2, 0.95])

    assert believe([raw], "pt", nobody).segments == ()


def test_a_word_that_takes_longer_than_anybody_drawls_is_a_sign_of_doubt():
    drawled = RawSegment((RawWord(0, 2_500, "página", 0.95),), -0.2)

    assert believe([drawled], "pt", nobody).segments == ()


def test_a_doubtful_word_alone_goes_however_short_it_is():
    assert believe([segment("pronto", logprob=-0.8)], "pt", nobody).segments == ()


@pytest.mark.parametrize(
    ("sure", "stays"),
    [
        ({"no_speech": 0.7, "logprob": -0.3}, True),
        ({"no_speech": 0.5, "logprob": -1.2}, True),
        ({"no_speech": 0.7, "logprob": -1.2}, False),  # Whisper's own rule wants both
    ],
)
def test_what_whisper_itself_calls_silence_goes_even_where_the_detector_hears(sure, stays):
    raw = segment("a página está pronta", **sure)

    assert bool(believe([raw], "pt", somebody).segments) == stays


def test_a_loop_puts_all_of_its_window_in_doubt():
    loop = segment("e a gente " * 5, compression=3.0)
    beside = segment("a página está pronta", at_ms=10_000)

    assert believe([loop, beside], "pt", nobody).segments == ()


def test_what_was_taken_out_is_told_in_order_of_time():
    dots, loop = segment("..."), segment("e a gente " * 5, at_ms=5_000)

    removals = believe([dots, loop], "pt", somebody).removals

    assert [removal.reason for removal in removals] == ["no_words", "repetition"]


@pytest.mark.parametrize("text", ["2025", "नमस्ते", "½"])
def test_numbers_and_other_scripts_are_words(text):
    assert believe([segment(text)], "pt", somebody).segments == (segment(text),)


def test_text_over_a_noise_goes_and_the_speech_after_it_stays():
    words = segment("we will review the new budget", logprob=-0.9)

    believed = believe([words], "en", lambda start, _end: 300 if start >= 1_200 else 0)

    assert [each.text for each in believed.segments] == ["the new budget"]
    assert [removal.text for removal in believed.removals] == ["we will review"]


def test_a_quiet_word_within_heard_speech_stays():
    words = segment("we will review the new budget", logprob=-0.9)

    believed = believe([words], "en", lambda start, _end: 0 if start == 1_200 else 300)

    assert (believed.segments, believed.removals) == ((words,), ())


def test_a_loop_is_cut_to_its_first_time_over_the_borders_of_segments():
    begun = segment("so we decided thank you thank you thank you")
    goes_on = [segment("thank you", at_ms=4_000 + 1_000 * i) for i in range(4)]

    believed = believe([begun, *goes_on], "en", somebody)

    assert [each.text for each in believed.segments] == ["so we decided thank you"]
    assert {removal.reason for removal in believed.removals} == {"repetition"}
    assert sum(len(removal.text.split()) for removal in believed.removals) == 12


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("não não não não", 4),
        ("no no no no no no no", 1),
        ("yes yes . . . . . .", 8),
        ("um dois um dois um dois", 6),
        ("um dois um dois um dois um dois um dois", 2),
        ("the plan is the plan is the plan is the plan is good", 4),
        ("we must go we must go we must go now", 10),
        ("Sim, sim. SIM! sim… sim; sim", 1),
    ],
)
def test_only_what_nobody_says_so_often_is_a_loop(text, left):
    words = text.split()

    assert len(words) - len(looped(words)) == left


@given(st.lists(st.sampled_from(["a", "b", "c", ".", "a,"]), max_size=40))
def test_a_loop_never_takes_the_first_word_and_leaves_no_loop(words):
    gone = looped(words)

    assert 0 not in gone
    left = [word for i, word in enumerate(words) if i not in gone]
    assert len(looped(left)) <= len(left) - min(len(left), 1)


def test_every_phrase_is_found_however_it_is_written():
    for language, phrases in PHRASES.items():
        for phrase in phrases:
            assert is_boilerplate(phrase.capitalize() + "!", language)
            assert is_boilerplate(f"{phrase}. {phrase}.", language)


@pytest.mark.parametrize("text", ["", "...", "Bom dia", "obrigadosa", "The yous of this world"])
def test_other_text_is_no_phrase(text):
    assert not is_boilerplate(text, "pt")
    assert not is_boilerplate(text, "en")
