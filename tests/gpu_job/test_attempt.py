"""How an attempt ends: fenced, too late, broken, or whole."""

import gc
import threading
import weakref
from concurrent.futures import Future

import pytest

from gpu_job import attempt, lease_ownership, partial_results
from gpu_job.common.errors import OutOfMemoryError
from gpu_job.contract import JobLimits, JobOptions, SpeakerEmbedding
from gpu_job.diarize.base import Diarization
from gpu_job.job import run_job
from gpu_job.stop_request import Stop
from tests.gpu_job.ten_regions import after


def test_a_fenced_owner_keeps_nothing(attempts, job, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(
        lease_ownership.LeaseOwnership.take.__func__, "__defaults__", (lambda: now[0],)
    )

    def cut_off(fake, stop):
        if len(fake.heard) == 5:
            now[0] += 121
            stop.request("preempted")

    outcome, _ = attempts(1, cut_off)

    assert outcome.state == "stopped"
    assert job.storage.read("partial-1.json") is None
    assert job.claim().state == "running"


def test_a_fenced_owner_that_breaks_keeps_nothing_either(attempts, job, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(
        lease_ownership.LeaseOwnership.take.__func__, "__defaults__", (lambda: now[0],)
    )

    def wakes_up_to_a_broken_card(fake, _stop):
        if len(fake.heard) == 5:
            now[0] += 121
            raise RuntimeError("CUDA error: unknown error")

    attempts(1, wakes_up_to_a_broken_card)

    assert job.storage.read("partial-1.json") is None
    assert job.claim().state == "running"


def test_who_is_fenced_while_the_result_is_packed_does_not_write_it(attempts, job, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(
        lease_ownership.LeaseOwnership.take.__func__, "__defaults__", (lambda: now[0],)
    )

    def packs(body):
        now[0] += 121
        return body

    monkeypatch.setattr(attempt, "packed", packs)

    outcome, _ = attempts(1)

    assert (outcome.state, job.result()) == ("stopped", None)
    assert job.claim().state == "running"


def test_a_job_that_takes_too_long_fails_and_the_next_goes_on(attempts, job, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(attempt, "clock_seconds", lambda: now[0])

    def slow(fake, _stop):
        now[0] += 30

    outcome, _ = attempts(1, slow, limits=JobLimits(run_seconds=100))

    assert (outcome.state, outcome.error.message) == ("failed", "the job reached its time limit")
    assert len(attempts(2)[1].heard) == 7


def test_a_job_that_takes_too_long_stops_no_other_of_its_worker(job, fake_models, monkeypatch):
    now, stop = [0.0], Stop()
    monkeypatch.setattr(attempt, "clock_seconds", lambda: now[0])

    def slow(_fake):
        now[0] += 101

    limits = JobLimits(run_seconds=100)
    run_job(job.request(limits=limits), fake_models(slow), lambda _: None, stop)

    assert stop.reason is None


def test_a_partial_that_cannot_even_be_made_leaves_no_claim_running(attempts, job, monkeypatch):
    def broken(*_):
        raise MemoryError

    monkeypatch.setattr(partial_results, "packed", broken)

    outcome, _ = attempts(1, after(4))

    assert outcome.state == "stopped"
    assert job.claim().state == "stopped"


def test_a_job_that_is_over_leaves_none_of_its_audio_in_memory(job, fake_models):
    audio = []

    def heard(samples, *_):
        audio.append(weakref.ref(samples))
        raise RuntimeError("broken")

    models = fake_models()
    whole = models.transcriber.transcribe
    models.transcriber.transcribe = lambda samples, *more: (
        audio.append(weakref.ref(samples)),
        whole(samples, *more),
    )
    gc.disable()  # what is large must not wait for the collector, which counts objects, not bytes
    try:
        run_job(job.request(), models, lambda _: None)
        job.storage.delete("result.json")
        models.transcriber.transcribe = heard
        run_job(job.request(attempt=2), models, lambda _: None)
        assert [samples() for samples in audio] == [None, None]
    finally:
        gc.enable()


def test_want_of_memory_is_told_and_ends_the_process(attempts, job):
    def too_large(_fake, _stop):
        raise OutOfMemoryError("not even one window fits")

    outcome, _ = attempts(1, too_large)

    assert (outcome.error.code, outcome.error.permanent) == ("out_of_memory", False)
    assert "not even one" in outcome.retire


@pytest.mark.parametrize(
    ("crash", "code", "retires"),
    [
        (RuntimeError("CUDA failed with error out of memory"), "out_of_memory", True),
        (MemoryError(), "out_of_memory", True),
        (RuntimeError("CUDA error: device-side assert triggered"), "internal", True),
        (RuntimeError("something else"), "internal", False),
    ],
)
def test_after_an_error_of_the_card_the_process_is_not_used_again(attempts, crash, code, retires):
    def fails(_fake, _stop):
        raise crash

    outcome, _ = attempts(1, fails)

    assert (outcome.error.code, bool(outcome.retire)) == (code, retires)


def test_voices_are_in_the_result_where_somebody_wants_them(job, real_models, samples):
    options = JobOptions(model="demo", language="en", speaker_embeddings=True)
    run_job(job.request(options=options), real_models, lambda _: None)

    vectors = {each.speaker: each.vector for each in job.result().speaker_embeddings}
    assert set(vectors) == {turn.speaker for turn in job.result().turns}


def test_a_worker_that_must_stop_waits_for_no_download(job, fake_models):
    stop, audio = Stop(), Future()  # nobody ever has it
    threading.Timer(0.1, stop.request, ["preempted"]).start()

    outcome = run_job(job.request(), fake_models(), lambda _: None, stop, preparing=audio)

    assert (outcome.state, job.claim().state) == ("stopped", "stopped")


def test_voices_that_nobody_asked_for_are_not_in_the_result(job, fake_models):
    """Who somebody is can be told from a voice: it is not kept by the way."""
    models = fake_models()
    voices = (SpeakerEmbedding(speaker="SPEAKER_00", vector=(0.5, -0.25)),)
    models.diarizer.diarize = lambda *_: Diarization(embeddings=voices)
    run_job(job.request(), models, lambda _: None)

    assert job.result().speaker_embeddings == ()
