"""Candidates of a language, and what people are told where it may be the wrong one."""

import pytest

from gpu_job.contract import JobOptions
from gpu_job.transcribe.language_vote import guess_of
from gpu_job.transcribe.window_plan import plan
from gpu_job.transcribe.windows import Piece, Window

AUTO = {"model": "demo"}


def windows(count, length_ms=30_000):
    return [Window(0, (Piece(i * 40_000, i * 40_000 + length_ms, 0),)) for i in range(count)]


def planned(heard, count=None, length_ms=30_000, **options):
    """The plan where each window is heard with these probabilities; and how many were asked."""
    all_windows = windows(count or len(heard), length_ms)
    options, asked = JobOptions(**AUTO | options), []

    def guess(window):
        asked.append(window)
        at = all_windows.index(window) if window in all_windows else 0
        return guess_of(list(heard[at % len(heard)].items()), options.languages)

    return plan(all_windows, options, guess), len(asked)


def codes(found):
    return [one.code for one in found.warnings]


def test_the_candidates_alone_are_chosen_among_and_share_the_probability():
    heard = {"la": 0.35, "pt": 0.3, "es": 0.1, "en": 0.05, "cy": 0.2}

    found, _ = planned([heard], languages=("pt", "en", "es"))

    assert found.language == "pt"
    assert found.probability == pytest.approx(0.3 / 0.45, abs=1e-3)


def test_without_candidates_what_is_likeliest_is_taken_and_told_as_unsure():
    found, _ = planned([{"la": 0.35, "pt": 0.3, "es": 0.1, "en": 0.05}])

    assert (found.language, codes(found)) == ("la", ["language_unsure"])
    assert "35%" in found.warnings[0].message
    assert "LANGUAGES" in found.warnings[0].message


def test_unsure_windows_vote_for_each_language_as_much_as_they_believe_in_it():
    # la leads in no sum, though it leads in three of four windows
    unsure, sure = {"la": 0.3, "pt": 0.28}, {"pt": 0.9, "la": 0.01}

    found, _ = planned([unsure, unsure, sure, unsure])

    assert found.language == "pt"


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        ({"cy": 0.9, "pt": 0.05, "en": 0.05}, ["language_not_listed"]),
        ({"pt": 0.9, "en": 0.05}, []),
        ({"gl": 0.7, "pt": 0.29, "en": 0.01}, []),  # the model takes one for the other
    ],
)
def test_what_is_none_of_the_candidates_is_told(heard, told):
    found, _ = planned([heard], languages=("pt", "en"))

    assert (found.language, codes(found)) == ("pt", told)


def test_several_sure_languages_are_told_with_what_hears_both():
    found, _ = planned([{"en": 0.97}] * 3 + [{"de": 0.97}] * 3)

    assert codes(found) == ["languages_several"]
    assert "LANGUAGE_DETECTION=along" in found.warnings[0].message


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        ([{"en": 0.98, "pt": 0.01}], ["language_differs"]),
        ([{"en": 0.98, "pt": 0.01}] * 4, ["language_differs"]),
        ([{"pt": 0.98}], []),
        ([{"en": 0.6, "pt": 0.2}], []),  # nobody knows
        ([{"es": 0.98, "pt": 0.01}], ["language_differs"]),
        ([{"gl": 0.95, "pt": 0.02}], []),  # the model takes Portuguese for it
        ([{"en": 0.98}, {"en": 0.98}, {"pt": 0.98}, {"pt": 0.98}], []),  # an English opening
    ],
)
def test_a_forced_language_that_is_not_heard_is_told_and_kept(heard, told):
    found, asked = planned(heard, language="pt")

    assert (found.language, found.probability, codes(found)) == ("pt", 1.0, told)
    assert asked <= 2


def test_a_forced_language_that_is_heard_costs_one_run_of_the_encoder():
    assert planned([{"pt": 0.98}] * 50, language="pt")[1] == 1


def test_of_a_word_or_two_nobody_says_that_it_is_another_language():
    assert planned([{"en": 0.98}], length_ms=2_000, language="pt")[0].warnings == ()


def test_along_the_way_the_candidates_alone_are_chosen_among_too():
    heard = [{"cy": 0.5, "en": 0.4, "pt": 0.1}, {"la": 0.5, "pt": 0.45, "en": 0.05}]

    found, _ = planned(heard, languages=("pt", "en"), detect="along")

    assert found.along == ("en", "pt")


def test_along_the_way_it_is_told_where_nobody_is_sure_of_anything():
    found, _ = planned([{"cy": 0.3}, {"la": 0.3}, {"nn": 0.3}], detect="along")

    assert codes(found) == ["language_unsure"]


def test_a_recording_of_minutes_has_two_voters_at_least():
    assert planned([{"en": 0.97}] * 8)[1] == 2


def test_a_candidate_that_the_model_does_not_know_is_no_candidate():
    found, _ = planned([{"pt": 0.9, "en": 0.1}], languages=("yue",))

    assert found.language == "pt"


NOISE = {"nn": 0.45, "la": 0.2, "en": 0.05, "pt": 0.02}  # as Whisper base hears it


def test_windows_of_noise_do_not_outvote_the_speech_among_candidates():
    found, _ = planned([NOISE, NOISE, {"pt": 0.95, "en": 0.02}, NOISE], languages=("pt", "en"))

    assert (found.language, codes(found)) == ("pt", [])


def test_where_nothing_sounds_like_speech_a_candidate_is_no_certainty():
    found, _ = planned([NOISE] * 3, languages=("pt", "en"))

    assert (found.language, codes(found)) == ("en", ["language_unsure"])
    assert "7%" in found.warnings[0].message


def test_along_the_way_noise_follows_its_neighbours():
    found, _ = planned(
        [{"pt": 0.95, "en": 0.02}, NOISE, {"pt": 0.95, "en": 0.02}],
        languages=("pt", "en"),
        detect="along",
    )

    assert found.along == ("pt", "pt", "pt")


def test_one_window_alone_must_be_very_sure_to_contradict():
    assert planned([{"en": 0.85, "pt": 0.01}], language="pt")[0].warnings == ()
    assert codes(planned([{"en": 0.85, "pt": 0.01}] * 2, language="pt")[0]) == ["language_differs"]
