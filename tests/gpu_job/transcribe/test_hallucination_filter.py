"""What large models write over silence goes; what people say stays."""

import itertools
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_job.transcribe.boilerplate import PHRASES, is_boilerplate
from gpu_job.transcribe.hallucination_filter import filter_window
from gpu_job.transcribe.raw_segments import RawSegment, RawWord
from gpu_job.transcribe.repetition_loops import runs

KNOWN = json.loads((Path(__file__).parent / "hallucinations.json").read_text(encoding="utf-8"))
WORD_MS = 400


def segment(text, *, at_ms=0, words=(0.95,), **sure):
    texts = text.split()
    made = tuple(
        RawWord(at_ms + WORD_MS * i, at_ms + WORD_MS * (i + 1), each, words[min(i, len(words) - 1)])
        for i, each in enumerate(texts)
    )
    return RawSegment(made, **({"logprob": -0.2} | sure))


@dataclass
class FakeHearing:
    """A window's sound, as a test says: who is heard, how far it rises, and its loud moments."""

    speech: object = staticmethod(lambda start_ms, end_ms: end_ms - start_ms + 400)
    range_db: float = 30.0
    loud: tuple[int, ...] = ()
    likeness: float = 0.85

    def __call__(self, start_ms, end_ms):
        return self.speech(start_ms, end_ms)

    def above_floor_db(self, _start_ms, _end_ms):
        return self.range_db

    def bursts(self, start_ms, end_ms):
        return [at for at in self.loud if start_ms <= at <= end_ms]

    def alike(self, _spans):
        return self.likeness


@dataclass
class FakeOpinion:
    """What a model says when it is asked again."""

    adds: float = 5.0
    certainty: float = 0.98
    backwards: float = 0.3  # speech that is turned round
    translates: bool = False
    language_is_given: bool = True
    asked: list[str] = field(default_factory=list)

    def sound_adds(self, segments):
        self.asked.append("words")
        return [self.adds for _ in segments]

    def language_certainty(self):
        self.asked.append("language")
        return self.certainty

    def language_certainty_backwards(self):
        self.asked.append("backwards")
        return self.backwards


nobody = FakeHearing(speech=lambda _start, _end: 0, range_db=3.0)
somebody = FakeHearing()


def never(_start_ms, _end_ms):
    raise AssertionError("the detector costs time, and nothing was in doubt")


def filtered(segments, language, heard, asked=None):
    return filter_window(segments, language, heard, asked or FakeOpinion())


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: f"{known['language']}: {known['text']}")
def test_what_is_known_to_be_written_over_silence_is_removed(known):
    raw = segment(
        known["text"],
        logprob=known["logprob"],
        no_speech=known["no_speech"],
        words=known["words"],
    )

    found = filtered([raw], known["language"], nobody)

    assert found.segments == ()
    assert [removal.text for removal in found.removals if removal.reason != "repetition"]


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
    assert filtered([segment(text)], language, somebody).segments == (segment(text),)


def test_a_short_thanks_in_a_long_silence_is_not_enough():
    """A phrase that the model stretched over ten seconds, in which a cough was heard."""
    words = (RawWord(0, 5_000, "Thank", 0.9), RawWord(5_000, 10_000, "you.", 0.9))
    stretched = RawSegment(words, -0.2)

    found = filtered([stretched], "en", FakeHearing(speech=lambda _a, _b: 300))

    assert [removal.reason for removal in found.removals] == ["boilerplate"]


def test_clear_speech_never_costs_a_look_of_the_detector():
    clear = [segment("Bom dia a todos."), segment("Vamos começar.", at_ms=4000)]

    assert filtered(clear, "pt", FakeHearing(speech=never)).segments == tuple(clear)


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

    assert filtered([raw], "pt", nobody).segments == ()
    assert filtered([raw], "pt", somebody).segments == (raw,)


def test_one_word_that_the_model_hardly_believes_is_a_sign_of_doubt():
    raw = segment("a página está pronta", words=[0.95, 0.95, 0.2, 0.95])

    assert filtered([raw], "pt", nobody).segments == ()


def test_a_word_that_takes_longer_than_anybody_drawls_is_a_sign_of_doubt():
    drawled = RawSegment((RawWord(0, 2_500, "página", 0.95),), -0.2)

    assert filtered([drawled], "pt", nobody).segments == ()


def test_a_doubtful_word_alone_goes_however_short_it_is():
    assert filtered([segment("pronto", logprob=-0.8)], "pt", nobody).segments == ()


@pytest.mark.parametrize("adds", [0.3, 4.0])
@pytest.mark.parametrize(
    ("sure", "is_sign"),
    [
        ({"no_speech": 0.7, "logprob": -0.3}, False),
        ({"no_speech": 0.5, "logprob": -1.2}, False),
        ({"no_speech": 0.7, "logprob": -1.2}, True),  # Whisper's own rule wants both
    ],
)
def test_what_whisper_itself_calls_silence_goes_where_its_sound_adds_nothing(sure, is_sign, adds):
    raw = segment("a página está pronta", **sure)

    found = filtered([raw], "pt", somebody, FakeOpinion(adds))

    assert bool(found.segments) == (not is_sign or adds > 2)


@pytest.mark.parametrize(("adds", "stays"), [(0.1, False), (1.8, False), (2.7, True)])
def test_text_over_the_murmur_of_a_crowd_goes_unless_the_sound_says_it(adds, stays):
    raw = segment("I'm not going to say that", no_speech=0.8)
    crowd = FakeHearing(range_db=6.3)

    assert bool(filtered([raw], "en", crowd, FakeOpinion(adds)).segments) == stays


def test_a_voice_that_rises_above_its_room_is_kept_whatever_the_model_thinks_of_it():
    raw = segment("Obrigado.", logprob=-0.9, words=[0.5])

    assert filtered([raw], "pt", FakeHearing(range_db=15.0), FakeOpinion(0.1)).segments == (raw,)


@pytest.mark.parametrize(
    ("words", "certainty", "stays"),
    [
        ([0.3], 0.3, False),  # backwards: neither word nor language is sure
        ([0.4], 0.9, True),  # from afar: the words are hard, the language is not
        ([0.575], 0.49, True),  # a synthetic voice in a short recording
        ([0.6], 0.3, True),  # a few clear words tell no language
    ],
)
def test_what_sounds_like_no_language_goes(words, certainty, stays):
    raw = segment("ys i 'n ares yw 'n oed", words=words)

    found = filtered([raw], "cy", somebody, FakeOpinion(certainty=certainty))

    assert bool(found.segments) == stays
    if not stays:
        [removal] = found.removals
        assert (removal.reason, removal.evidence.language_certainty) == ("no_language", certainty)


@pytest.mark.parametrize("told", [True, False])
def test_a_language_that_somebody_tells_is_doubted_less(told):
    raw = segment("ich bin mit den Buchnerzen", words=[0.42])
    unsure = FakeOpinion(certainty=0.69, language_is_given=told)

    assert bool(filtered([raw], "de", somebody, unsure).segments) == told


@pytest.mark.parametrize(
    ("words", "certainty", "backwards", "stays"),
    [
        ([0.45], 0.65, 0.99, False),  # a voice that runs backwards
        ([0.45], 0.65, 0.4, True),  # one from afar: no language either way round, but more so here
        ([0.45], 0.65, 0.7, True),
        ([0.45], 0.88, 0.98, False),  # French that runs backwards
        ([0.45], 0.88, 0.92, True),
        ([0.8], 0.65, 0.99, True),  # its words are clear
    ],
)
def test_what_is_a_language_only_when_it_is_turned_round_was_not_said(
    words, certainty, backwards, stays
):
    raw = segment("ich möge die Buchnerzen der wird sehr valarm", words=words)
    asked = FakeOpinion(certainty=certainty, backwards=backwards)

    found = filtered([raw], "de", somebody, asked)

    assert bool(found.segments) == stays
    if not stays:
        [gone] = found.removals
        assert gone.reason == "no_language"
        assert gone.evidence.language_certainty_backwards == backwards


def test_a_loop_that_grew_sure_over_talk_that_runs_backwards_goes_too():
    unsure = segment("oh dear it one was to the sea of Ireland", words=[0.4])
    sure = segment("here is no food", at_ms=4_000, words=[0.94])
    asked = FakeOpinion(certainty=0.36, backwards=0.97, language_is_given=False)

    assert not filtered([unsure, unsure, unsure, sure], "en", somebody, asked).segments


def test_a_language_that_is_sure_is_not_turned_round():
    asked = FakeOpinion(certainty=0.97, backwards=0.99)

    assert filtered([segment("bom dia a todos", words=[0.45])], "pt", somebody, asked).segments
    assert "backwards" not in asked.asked


def test_a_word_that_goes_on_and_on_is_no_word():
    raw = segment("bh" + "i" * 75, words=[0.47])

    assert not filtered([raw], "ka", somebody, FakeOpinion(certainty=0.16)).segments


@pytest.mark.parametrize("translates", [True, False])
def test_a_translation_is_less_sure_of_its_words_and_stays(translates):
    raw = segment("and the people of the valley were told of it", words=[0.45])
    unsure = FakeOpinion(certainty=0.5, translates=translates)

    assert bool(filtered([raw], "pt", somebody, unsure).segments) == translates


def test_of_a_few_words_no_language_is_given():
    yes = segment("Yes. Yes. Yes.", words=[0.3])

    assert filtered([yes], "en", somebody, FakeOpinion(certainty=0.2)).segments == (yes,)


@pytest.mark.parametrize(("adds", "stays"), [(4.0, True), (1.0, False)])
def test_a_sentence_that_the_detector_misses_beside_a_louder_one_stays_where_it_sounds(adds, stays):
    quiet = segment("did the slow communication", logprob=-0.5)
    loud = segment("The aspect ratio", at_ms=10_000)
    unheard = FakeHearing(speech=lambda _start, end: 1_200 if end > 10_000 else 0, range_db=30.0)

    assert (quiet in filtered([quiet, loud], "en", unheard, FakeOpinion(adds)).segments) == stays


def test_text_over_beeps_goes_whatever_their_sound_says():
    """They rise above silence, and a model may be sure of what it hears in them."""
    beeps = FakeHearing(speech=lambda _start, _end: 0, range_db=80.0)

    assert filtered([segment("vamos", logprob=-0.5)], "pt", beeps, FakeOpinion(6.0)).segments == ()


@pytest.mark.parametrize(("adds", "stays"), [(0.1, False), (3.0, True)])
def test_a_loop_with_changes_in_it_goes_where_its_words_need_no_sound(adds, stays):
    loop = segment("je suis là, je suis là, tu es là, je suis là, il est là", compression=3.0)

    assert bool(filtered([loop], "fr", somebody, FakeOpinion(adds)).segments) == stays


def test_a_clear_sentence_in_a_window_of_mumbling_stays():
    mumbled = segment("ys i 'n ares yw 'n oed", words=[0.2])
    clear = segment("Good evening.", at_ms=10_000, words=[0.9])

    found = filtered([mumbled, clear], "en", somebody, FakeOpinion(certainty=0.3))

    assert found.segments == (clear,)


def test_clear_speech_is_never_asked_about_again():
    opinion = FakeOpinion()

    filtered([segment("a página está pronta", logprob=-0.5)], "pt", somebody, opinion)

    assert opinion.asked == []


def test_what_is_removed_keeps_its_words_with_times_and_evidence():
    raw = segment("I'm sorry.", at_ms=2_000, no_speech=0.9, logprob=-1.5)

    [removal] = filtered([raw], "en", FakeHearing(range_db=5.0), FakeOpinion(0.2)).removals

    assert (removal.words, removal.start_ms, removal.end_ms) == (raw.words, 2_000, 2_800)
    assert (removal.evidence.sound_adds, removal.evidence.above_floor_db) == (0.2, 5.0)
    assert (removal.evidence.logprob, removal.evidence.no_speech) == (-1.5, 0.9)


def test_a_loop_puts_all_of_its_window_in_doubt():
    loop = segment("e a gente " * 5, compression=3.0)
    beside = segment("a página está pronta", at_ms=10_000)

    assert filtered([loop, beside], "pt", nobody).segments == ()


def test_what_was_taken_out_is_told_in_order_of_time():
    dots, loop = segment("..."), segment("e a gente " * 5, at_ms=5_000)

    removals = filtered([dots, loop], "pt", somebody).removals

    assert [removal.reason for removal in removals] == ["no_words", "repetition"]


@pytest.mark.parametrize("text", ["2025", "नमस्ते", "½"])
def test_numbers_and_other_scripts_are_words(text):
    assert filtered([segment(text)], "pt", somebody).segments == (segment(text),)


def test_text_over_a_noise_goes_and_the_speech_after_it_stays():
    words = segment("we will review the new budget", logprob=-0.9)

    found = filtered(
        [words],
        "en",
        FakeHearing(speech=lambda start, _end: 300 if start >= 1_200 else 0),
        FakeOpinion(1.0),
    )

    assert [each.text for each in found.segments] == ["the new budget"]
    assert [removal.text for removal in found.removals] == ["we will review"]


def test_a_quiet_word_within_heard_speech_stays():
    words = segment("we will review the new budget", logprob=-0.9)

    found = filtered(
        [words], "en", FakeHearing(speech=lambda start, _end: 0 if start == 1_200 else 300)
    )

    assert (found.segments, found.removals) == ((words,), ())


def test_a_loop_is_cut_to_its_first_time_over_the_borders_of_segments():
    begun = segment("so we decided thank you thank you thank you")
    goes_on = [segment("thank you", at_ms=4_000 + 1_000 * i) for i in range(4)]

    found = filtered([begun, *goes_on], "en", somebody)

    assert [each.text for each in found.segments] == ["so we decided thank you"]
    assert {removal.reason for removal in found.removals} == {"repetition"}
    assert sum(len(removal.text.split()) for removal in found.removals) == 12


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ("não não não não", 0),
        ("no no no no no no no", 7),
        ("yes yes . . . . . .", 0),
        ("um dois um dois um dois", 0),
        ("um dois um dois um dois um dois um dois", 10),
        ("the plan is the plan is the plan is the plan is good", 12),
        ("we must go we must go we must go now", 0),
        ("Sim, sim. SIM! sim… sim; sim", 6),
    ],
)
def test_only_what_is_written_very_often_must_be_heard(text, repeated):
    assert sum(run.unit * run.times for run in runs(text.split())) == repeated


@given(st.lists(st.sampled_from(["a", "b", "c", ".", "a,"]), max_size=40))
def test_runs_stand_one_after_another(words):
    found = list(runs(words))

    assert all(run.end <= len(words) for run in found)
    assert all(one.end <= other.first for one, other in itertools.pairwise(found))


def said_at(*starts_ms, text="Yes.", length_ms=300):
    """One segment for each time."""
    return [RawSegment((RawWord(at, at + length_ms, text, 0.97),), -0.69) for at in starts_ms]


def test_a_roll_call_in_which_everybody_says_yes_is_kept_whole():
    starts = range(1_000, 25_000, 2_000)
    roll = said_at(*starts)

    found = filtered(roll, "en", FakeHearing(loud=tuple(at + 150 for at in starts)))

    assert (found.segments, found.removals) == (tuple(roll), ())


def test_an_account_number_of_six_fives_is_kept():
    fives = segment("The number is five five five five five five.")

    loud = tuple(range(100, 9 * WORD_MS, 300))
    assert filtered([fives], "en", FakeHearing(loud=loud)).segments == (fives,)


def test_a_time_of_no_length_among_as_many_sounds_as_words_is_kept():
    """Whisper puts one of twelve at an instant; twelve were heard."""
    starts = [1_000 * i for i in range(12)]
    roll = [*said_at(*starts[:7]), *said_at(7_100, length_ms=0), *said_at(*starts[8:])]

    heard = FakeHearing(loud=tuple(at + 150 for at in starts))
    assert len(filtered(roll, "en", heard).segments) == 12


def test_of_a_loop_that_goes_on_after_the_last_voice_what_was_heard_stays():
    roll = said_at(*range(0, 12_000, 1_000))

    found = filtered(roll, "en", FakeHearing(loud=(150, 1_150, 2_150, 3_150)))

    assert [each.start_ms for each in found.segments] == [0, 1_000, 2_000, 3_000]
    assert [removal.reason for removal in found.removals] == ["repetition"] * 8


def test_a_loop_over_somebody_who_says_other_things_is_cut_to_its_first_time():
    """Each time has a sound of its own, and none is like the one before."""
    starts = range(1_000, 25_000, 2_000)
    heard = FakeHearing(loud=tuple(at + 150 for at in starts), likeness=0.2)

    assert len(filtered(said_at(*starts, text="Naldirna,"), "en", heard).segments) == 1


def test_what_a_loop_leaves_goes_where_no_language_is_heard():
    starts = range(1_000, 25_000, 2_000)
    heard = FakeHearing(loud=tuple(at + 150 for at in starts), likeness=0.2)
    unsure = [
        RawSegment((RawWord(at, at + 300, "Naldirna,", 0.3),), -0.3, compression=9.0)
        for at in starts
    ]

    found = filtered(unsure, "cy", heard, FakeOpinion(certainty=0.3))

    assert found.segments == ()


def test_a_word_without_sound_stands_where_a_sound_has_no_word():
    """Twelve say it; Whisper writes thirteen, two behind the last voice and none for the fourth."""
    starts = [1_000 * i for i in range(12)]
    roll = said_at(*(at for at in starts if at != 3_000), 12_000, 13_000)

    found = filtered(roll, "en", FakeHearing(loud=tuple(at + 150 for at in starts)))

    assert [each.start_ms for each in found.segments] == starts
    assert [removal.start_ms for removal in found.removals] == [13_000]


def test_a_loop_inside_a_word_is_cut_to_the_sounds_that_are_heard():
    words = (RawWord(0, 900, "number", 0.9), RawWord(1_000, 4_000, "5" * 220, 0.9))
    heard = FakeHearing(loud=(1_100, 1_600, 2_100, 2_600, 3_100, 3_600))

    found = filtered([RawSegment(words, -0.1)], "en", heard)

    assert [each.text for each in found.segments] == ["number 555555"]
    assert [len(removal.text) for removal in found.removals] == [214]


def test_a_long_number_that_was_said_stays():
    said = RawSegment((RawWord(0, 3_000, "555555555555", 0.9),), -0.1)

    assert filtered([said], "en", somebody).segments == (said,)


def test_a_loop_faster_than_anybody_speaks_is_cut_to_its_first_time():
    """223 times "très" in 4.8 s of speech."""
    words = tuple(RawWord(20 * i, 20 * i + 20, "très", 0.95) for i in range(223))
    loud = tuple(range(100, 4_800, 200))

    found = filtered([RawSegment(words, -0.1, 0.4, 41.0)], "fr", FakeHearing(loud=loud))

    assert [each.text for each in found.segments] == ["très"]


def test_every_phrase_is_found_however_it_is_written():
    for language, phrases in PHRASES.items():
        for phrase in phrases:
            assert is_boilerplate(phrase.capitalize() + "!", language)
            assert is_boilerplate(f"{phrase}. {phrase}.", language)


@pytest.mark.parametrize("text", ["", "...", "Bom dia", "obrigadosa", "The yous of this world"])
def test_other_text_is_no_phrase(text):
    assert not is_boilerplate(text, "pt")
    assert not is_boilerplate(text, "en")
