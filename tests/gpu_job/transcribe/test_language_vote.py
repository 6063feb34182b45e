"""The language of a recording, by votes of all of it; with the real model where it can tell."""

from types import SimpleNamespace

import numpy as np
import pytest

from gpu_job.common.audio import decode
from gpu_job.common.errors import ModelMissingError
from gpu_job.contract import JobOptions, SpeechRegion
from gpu_job.transcribe import transcriber
from gpu_job.transcribe.language_detection import language_chances
from gpu_job.transcribe.language_vote import Guess, smoothed, vote, voters
from gpu_job.transcribe.progress import TranscriptionProgress
from gpu_job.transcribe.transcriber import Transcriber
from gpu_job.transcribe.window_plan import plan
from gpu_job.transcribe.windows import Piece, Window, laid_out


def windows(*lengths_ms):
    return [Window(0, (Piece(0, length, 0),)) for length in lengths_ms]


def guesses(*told):
    return [Guess(language, probability) for language, probability in told]


def test_three_minutes_of_english_do_not_make_forty_minutes_of_german_english():
    all_windows = windows(*range(20_000, 20_086))
    of = ["en"] * 6 + ["de"] * 80
    asked = []

    def guess(window):
        asked.append(all_windows.index(window))
        return Guess(of[asked[-1]], 0.97)

    found = plan(all_windows, JobOptions(model="demo"), guess)

    assert found.language == "de"
    assert 0.7 < found.probability <= 0.97
    assert len(asked) <= 16


def test_a_short_recording_is_asked_once_where_that_is_sure():
    asked = []

    def guess(sure):
        return lambda window: asked.append(window) or Guess("pt", sure)

    assert plan(windows(30_000, 20_000), JobOptions(model="demo"), guess(0.95)).language == "pt"
    assert len(asked) == 1
    plan(windows(30_000, 20_000), JobOptions(model="demo"), guess(0.5))
    assert len(asked) == 1 + 2


@pytest.mark.parametrize("count", [0, 1, 3, 8, 9, 500])
def test_the_voters_are_spread_over_all_of_the_recording(count):
    chosen = voters(windows(*[20_000] * count))

    assert len(chosen) == min(count, 8)
    assert chosen == sorted(set(chosen))
    if count > 8:
        assert chosen[-1] >= count - -(-count // 8)


def test_the_longest_window_of_each_part_votes():
    assert voters(windows(*[1_000, 30_000] * 8)) == list(range(1, 16, 2))


def test_nobody_votes_for_nothing():
    assert vote([], []) == ("", 0.0)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("en", 0.9), ("en", 0.9), ("de", 0.95), ("de", 0.95)], "en en de de"),
        ([("en", 0.9), ("de", 0.6), ("en", 0.9)], "en en en"),  # one unsure flip
        ([("en", 0.9), ("de", 0.9), ("en", 0.9)], "en de en"),  # one sure sentence
        ([("cy", 0.2), ("de", 0.9), ("nn", 0.3)], "de de de"),
        ([("cy", 0.2), ("cy", 0.3)], "cy cy"),
        ([("en", 0.9), ("cy", 0.2), ("de", 0.9)], "en en de"),  # the window before
        ([("cy", 0.2), ("de", 0.9), ("en", 0.9), ("en", 0.9)], "de de en en"),  # or the next
        ([], ""),
    ],
)
def test_along_the_way_the_unsure_follow_their_neighbours(told, expected):
    assert " ".join(smoothed(guesses(*told))) == expected


@pytest.fixture(scope="module")
def bilingual(recordings):
    """The English dialogue, and then the Portuguese: int16 (1, n), and where the second begins."""
    english = decode(recordings / "english-2-voices.mp3", 1, 44_700)
    portuguese = decode(recordings / "portuguese-2-voices.m4a", 1, 45_000)
    return np.concatenate([english, portuguese], axis=1), english.shape[1] // 16


def heard(models, samples, **options):
    speech, end_ms = TranscriptionProgress(), samples.shape[1] // 16
    regions = tuple(
        SpeechRegion(start_ms=at, end_ms=min(at + 14_500, end_ms))
        for at in range(0, end_ms, 15_000)
    )
    models.transcriber.transcribe(
        samples, regions, JobOptions(model="demo", **options), speech, lambda _: None
    )
    return speech


def test_a_recording_in_two_languages_is_heard_in_both(real_models, bilingual):
    samples, border_ms = bilingual

    speech = heard(real_models, samples, detect="along")

    first = [s for s in speech.segments if s.end_ms < border_ms - 5_000]
    second = [s for s in speech.segments if s.start_ms > border_ms + 5_000]
    assert {segment.language for segment in first} == {"en"}
    assert {segment.language for segment in second} == {"pt"}
    assert "relatório" in " ".join(segment.text for segment in second)


def test_once_detected_it_is_one_language_and_segments_name_none(real_models, bilingual):
    speech = heard(real_models, bilingual[0])

    assert speech.language in {"en", "pt"}
    assert {segment.language for segment in speech.segments} == {""}


def test_a_language_that_was_given_is_kept_and_compared_with_one_window(
    real_models, samples, monkeypatch
):
    asked = []

    def detect(*given, **how):
        asked.append(how)
        return language_chances(*given, **how)

    monkeypatch.setattr(transcriber, "language_chances", detect)

    speech = heard(real_models, samples, language="en")

    assert (speech.language, speech.language_probability) == ("en", 1.0)
    assert asked == [{"is_decoded_later": True}]  # the window is not encoded twice
    assert not [one for one in speech.warnings if one.code.startswith("language")]


def test_a_model_of_english_alone_is_not_asked(samples):
    alone = SimpleNamespace(is_multilingual=False)
    model = SimpleNamespace(model=alone)

    speech = TranscriptionProgress()
    speech.plan = Transcriber(model, 8)._plan(
        samples, (SpeechRegion(start_ms=0, end_ms=9_000),), JobOptions(model="small.en"), print
    )

    assert speech.language == "en"


@pytest.mark.parametrize("order", ["en de", "de en"])
def test_an_interpreter_on_a_channel_of_their_own_keeps_their_language(order):
    """Their windows alternate with the speaker's, and no model is quite sure of either."""
    of = dict(enumerate(order.split()))
    turns = [Window(n % 2, (Piece(n * 9_000, n * 9_000 + 8_000, 0),)) for n in range(12)]

    found = plan(
        turns,
        JobOptions(model="demo", detect="along"),
        lambda window: Guess(of[window.channel], 0.7),
    )

    assert found.windows == tuple(turns)
    assert found.along == tuple(order.split() * 6)


@pytest.mark.parametrize("language", ["xx", "pt-BR", "yue"])
def test_a_language_that_the_model_does_not_know_is_named(real_models, samples, language):
    with pytest.raises(ModelMissingError, match=f"language is {language}, which MODEL=demo"):
        heard(real_models, samples, language=language)


def test_a_model_of_english_alone_hears_no_other_language_as_english(samples):
    model = SimpleNamespace(model=SimpleNamespace(is_multilingual=False))
    options = JobOptions(model="small.en", language="pt")

    with pytest.raises(ModelMissingError, match=r"small\.en does not know"):
        Transcriber(model, 8).transcribe(samples, (), options, TranscriptionProgress(), print)


@pytest.mark.parametrize(
    ("second", "asked"),
    [
        ((29_000, 30_000, Guess("fr", 0.99)), 6),  # too short to be asked
        ((29_000, 35_000, Guess("fr", 0.4)), 7),  # the model is not sure
    ],
)
def test_a_window_in_which_the_language_changes_is_cut_between_its_pieces(second, asked):
    told = {
        0: Guess("en", 0.9),
        20_000: Guess("en", 0.9),
        29_000: second[2],
        36_000: Guess("de", 0.9),
        50_000: Guess("de", 0.9),
    }
    spans = [(20_000, 28_000), second[:2], (36_000, 45_000)]
    all_windows = [laid_out(0, [(0, 9_000)]), laid_out(0, spans), laid_out(0, [(50_000, 59_000)])]
    seen = []

    def guess(window):
        seen.append(window)
        if len(window.pieces) > 1:
            return Guess("de", 0.9)
        return told[window.pieces[0].start_ms]

    found = plan(all_windows, JobOptions(model="demo", detect="along"), guess)

    assert found.windows == (
        all_windows[0],
        laid_out(0, spans[:2]),
        laid_out(0, spans[2:]),
        all_windows[2],
    )
    assert found.along == ("en", "en", "de", "de")
    assert len(seen) == asked
