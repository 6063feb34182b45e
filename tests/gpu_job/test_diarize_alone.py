"""A job for the speakers alone: no speech model is needed, and no word is written."""

import pytest

from gpu_job.common.settings import WorkerSettings
from gpu_job.contract import JobOptions
from gpu_job.job import run_job
from gpu_job.models import load_models
from gpu_job.stop_request import Stop
from resources.demo_models import unpack_demo_models

SPEAKERS = JobOptions(model="", task="diarize")


@pytest.fixture(scope="module")
def no_words(tmp_path_factory):
    """A real worker that only finds speakers."""
    folder = unpack_demo_models(tmp_path_factory.mktemp("models"))
    return load_models(WorkerSettings(models=folder, model="none"))


def test_a_worker_without_a_speech_model_finds_the_same_turns_as_one_with_it(
    job, no_words, real_models
):
    assert no_words.transcriber is None
    outcome = run_job(job.request(options=SPEAKERS), no_words, lambda _: None)
    alone = job.result()
    job.storage.delete("result.json")
    run_job(job.request(2, options=JobOptions(model="demo")), real_models, lambda _: None)

    assert outcome.state == "done"
    assert (alone.segments, alone.model, alone.language) == ((), "", "")
    assert alone.turns == job.result().turns != ()
    assert alone.diarizer == job.result().diarizer
    assert job.claim(1).usage.timings.transcribe_seconds == 0


def test_it_writes_no_words_though_asked(job, no_words):
    outcome = run_job(job.request(options=JobOptions(model="demo")), no_words, lambda _: None)

    assert (outcome.state, outcome.error.code) == ("failed", "model_missing")
    assert "this worker loaded none" in outcome.error.message


def test_a_worker_with_any_speech_model_finds_speakers(job, fake_models):
    models = fake_models()
    models.model = "small"
    told = []

    assert run_job(job.request(options=SPEAKERS), models, told.append).state == "done"

    assert models.transcriber.calls == 0
    assert told[-1] == 900
    assert len(job.result().turns) == 2


def test_a_worker_without_a_diarizer_says_what_it_lacks(job, fake_models):
    models = fake_models()
    models.diarizer = None

    outcome = run_job(job.request(options=SPEAKERS), models, lambda _: None)

    assert outcome.error.code == "model_missing"
    assert "DIARIZER" in outcome.error.message


def test_turns_are_found_though_each_channel_could_be_a_speaker(job, fake_models):
    options = SPEAKERS.model_copy(update={"channels": "separate"})

    run_job(job.request(options=options), fake_models(), lambda _: None)

    assert job.result().turns


def test_turns_that_are_known_are_kept_for_the_next_attempt(job, fake_models):
    models, stop = fake_models(), Stop()
    found = models.diarizer.diarize

    def stopped(*arguments):
        turns = found(*arguments)
        stop.request("preempted")
        return turns

    models.diarizer.diarize = stopped
    assert (
        run_job(job.request(1, options=SPEAKERS), models, lambda _: None, stop).state == "stopped"
    )
    again = fake_models()
    again.diarizer.diarize = None  # is not asked

    assert run_job(job.request(2, options=SPEAKERS), again, lambda _: None).state == "done"
    assert len(job.result().turns) == 2
