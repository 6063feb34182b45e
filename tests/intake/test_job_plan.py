"""Which jobs give a transcript, and what is no part of their identity."""

import pytest

from gpu_job.contract import JobOptions, Speakers
from intake.job_options import revision_of, turns_alone, wants_turns, words_alone
from intake.job_plan import possible_plans, same_words
from resources.gpu.job_identity import job_id

CONTENT = "0123456789abcdef" * 4
OPTIONS = JobOptions(model="small", diarization_model="voices@1+rules-2")


def speakers_job(**changes):
    return possible_plans(CONTENT, OPTIONS.model_copy(update=changes)).apart.speakers


def words_job(**changes):
    return possible_plans(CONTENT, OPTIONS.model_copy(update=changes)).apart.words


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "large-v3-turbo"},
        {"beam_size": 5},
        {"language": "pt"},
        {"languages": ("en", "pt")},
        {"detect": "along"},
        {"hotwords": "Ana"},
        {"initial_prompt": "Ana"},
        {"word_times": False},
        {"task": "translate"},
    ],
)
def test_what_changes_only_words_buys_no_speakers_again(changes):
    assert speakers_job(**changes) == speakers_job()
    assert words_job(**changes) != words_job()


@pytest.mark.parametrize(
    "changes",
    [
        {"speakers": Speakers(exact=2)},
        {"diarizer": "pyannote", "diarization_model": ""},
        {"diarizer": "pyannote_ai", "diarization_model": "precision-2"},
        {"diarization_model": "voices@1+rules-3"},
        {"speaker_embeddings": True},
    ],
)
def test_what_changes_only_speakers_buys_no_words_again(changes):
    assert words_job(**changes) == words_job()
    assert speakers_job(**changes) != speakers_job()


def test_another_track_and_other_bytes_are_other_jobs():
    assert speakers_job(track="2") != speakers_job()
    assert words_job(track="2") != words_job()
    assert possible_plans("f" * 64, OPTIONS).apart.speakers != speakers_job()


def test_the_identity_of_a_speakers_job_never_changes():
    """Where this fails, all turns that were ever found alone would be paid for again."""
    turns = turns_alone(OPTIONS)

    assert revision_of(turns) == "voices@1+rules-2"
    assert job_id(CONTENT, turns, revision_of(turns)) == speakers_job() == IDENTITY


IDENTITY = "8c586a8f065291863522ea18f201e24789ffc6f0efcb24e1d9f1fe67b238d145"


def test_each_model_of_a_service_is_a_diarizer_of_its_own():
    by = [speakers_job(diarizer="pyannote_ai", diarization_model=one) for one in ("p-2", "p-3")]

    assert len({speakers_job(), *by}) == 3


@pytest.mark.parametrize("nobody", [{"diarizer": "none"}, {"channels": "separate"}])
def test_where_no_diarizer_is_wanted_there_is_one_job(nobody):
    options = OPTIONS.model_copy(update=nobody)

    assert not wants_turns(options)
    assert possible_plans(CONTENT, options).apart is None


def test_words_are_the_same_whoever_found_the_speakers():
    other = OPTIONS.model_copy(update={"diarizer": "none", "speakers": Speakers(maximum=4)})

    assert same_words(other, "small", OPTIONS)
    assert same_words(OPTIONS, "small+voices@1+rules-2", OPTIONS)
    assert not same_words(other, "smaller", OPTIONS)
    assert not same_words(other.model_copy(update={"beam_size": 5}), "small", OPTIONS)
    assert words_alone(OPTIONS).diarizer == "none"
