"""What a worker that calls an API keeps, and where."""

import pytest

from gpu_job import partial_results, transfer
from gpu_job.common.settings import WorkerSettings
from gpu_job.contract import JobOptions
from gpu_job.gpu_sharing import Sharing
from gpu_job.job import run_job
from gpu_job.models import load_models
from gpu_job.partial_results import Partial
from gpu_job.transcribe.progress import TranscriptionProgress
from gpu_job.transcribe.window_plan import WindowPlan
from tests.gpu_job.ten_regions import REGIONS


@pytest.fixture
def of_an_api(fake_models):
    """Makes a worker whose words are bought."""

    def make(meanwhile=lambda _: None):
        models = fake_models(meanwhile)
        models.is_api = True
        return models

    return make


def saved(job):
    return Partial.model_validate_json(job.storage.read("partial-1.json")).windows_done


def test_each_piece_is_saved_before_the_next_is_bought(job, of_an_api):
    seen = []

    def before_the_next(fake):
        if fake.heard:
            seen.append((len(fake.heard), saved(job) if len(fake.heard) > 1 else None))

    run_job(job.request(regions=REGIONS), of_an_api(before_the_next), lambda _: None)

    # the fake reports a region before it adds its word, so its news are one behind
    assert [kept for heard, kept in seen if heard > 1] == [heard - 1 for heard, _ in seen[1:]]


def test_a_store_that_fails_for_a_moment_delays_the_next_piece(job, monkeypatch, of_an_api):
    outcomes, naps = [False, False], []
    real = partial_results.save

    def save(*arguments):
        return outcomes.pop() if outcomes else real(*arguments)

    monkeypatch.setattr(partial_results, "save", save)
    monkeypatch.setattr(transfer, "PAUSES_SECONDS", (0, 0, 0, 0))

    outcome = run_job(job.request(regions=REGIONS), of_an_api(naps.append), lambda _: None)

    assert (outcome.state, outcomes) == ("done", [])


def test_where_nothing_can_be_saved_nothing_more_is_bought(job, monkeypatch, of_an_api):
    monkeypatch.setattr(partial_results, "save", lambda *_: False)
    monkeypatch.setattr(transfer, "PAUSES_SECONDS", (0, 0, 0))
    models = of_an_api()

    outcome = run_job(job.request(regions=REGIONS), models, lambda _: None)

    assert outcome.state == "failed"
    assert len(models.transcriber.heard) < 3


def test_an_api_needs_no_speech_model_and_takes_any_name(tmp_path):
    settings = WorkerSettings(
        models=tmp_path,
        diarizer="none",
        engine="openai",
        api_url="http://127.0.0.1:9/v1",
        api_model="whisper-1",
    )

    models = load_models(settings)

    assert models.weights == "127.0.0.1/whisper-1"
    models.check_options(JobOptions(model="whatever", diarizer="none"))


def test_the_times_of_words_survive_a_kill(job):
    speech = TranscriptionProgress(WindowPlan(), windows_done=1, word_times="estimated")

    partial = partial_results.partial_of(job.request(), speech, None)

    assert Partial.model_validate_json(partial.model_dump_json()).speech.word_times == "estimated"


def test_the_least_certain_times_are_those_of_the_whole():
    speech = TranscriptionProgress(WindowPlan())

    for word_times in ("", "estimated", "aligned"):
        speech.add(TranscriptionProgress(word_times=word_times), 1)

    assert speech.word_times == "estimated"


def test_speakers_are_found_while_the_words_are_bought(job, fake_models):
    models = fake_models()
    models.is_api, models.sharing = True, Sharing(models.session.card, is_apart=True)

    run_job(job.request(regions=REGIONS), models, lambda _: None)

    assert models.sharing.allowed
    assert job.result().turns
