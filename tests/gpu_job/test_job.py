"""The worker's side of paid once, on real files."""

import hashlib
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from gpu_job import attempt, audio_download, lease_ownership, transfer
from gpu_job.common import gpu_memory
from gpu_job.contract import CONTRACT_VERSION, Timings
from gpu_job.diarize.base import Diarization
from gpu_job.job import run_job
from gpu_job.lease_ownership import FencedError, LeaseOwnership
from gpu_job.session import WorkerSession
from gpu_job.stop_request import Stop


def quiet(_done_ms):
    pass


def test_a_job_leaves_a_result_and_a_claim_that_says_done(job, fake_models):
    outcome = run_job(job.request(), fake_models(), quiet)

    assert outcome.state == "done"
    assert [segment.text for segment in job.result().segments] == ["ah", "ah"]
    assert [turn.speaker for turn in job.result().turns] == ["SPEAKER_00"] * 2
    claim = job.claim()
    assert (claim.state, claim.nonce) == ("done", job.result().nonce)
    assert claim.usage.audio_ms_done == 900  # of speech
    assert claim.usage.timings.upload_seconds > 0
    assert claim.usage.run_seconds > 0


def test_an_attempt_that_is_delivered_twice_is_computed_once(job, fake_models):
    request, models = job.request(), fake_models()

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run_job, request, models, quiet) for _ in range(2)]
        states = sorted(run.result().state for run in runs)

    assert states == ["done", "duplicate"]
    assert models.transcriber.calls == 1


def test_a_job_that_has_a_result_is_left_without_a_claim(job, fake_models):
    run_job(job.request(), fake_models(), quiet)
    models = fake_models()

    assert run_job(job.request(attempt=2), models, quiet).state == "duplicate"
    assert models.transcriber.calls == 0
    assert job.storage.read("claim-2.json") is None


def test_a_buried_attempt_is_never_begun(job, fake_models):
    job.storage.create("claim-1.json", b'{"nonce": "x", "state": "buried"}')
    models = fake_models()

    assert run_job(job.request(), models, quiet).state == "duplicate"
    assert models.transcriber.calls == 0


def test_a_worker_whose_beats_do_not_arrive_fences_itself_and_writes_nothing(
    job, fake_models, monkeypatch
):
    now = [1000.0]
    monkeypatch.setattr(lease_ownership, "clock_seconds", lambda: now[0])
    monkeypatch.setattr(LeaseOwnership.take.__func__, "__defaults__", (lambda: now[0],))

    def cut_off(_transcriber):
        now[0] += 121

    outcome = run_job(job.request(), fake_models(cut_off), quiet)

    assert outcome.state == "stopped"
    assert job.result() is None
    assert job.claim().state == "running"


def test_beats_carry_the_progress_and_keep_the_owner_alive(job):
    now = [0.0]
    owner = LeaseOwnership.take(job.request(), WorkerSession("worker-1"), lambda: now[0])
    owner.note(Timings(), audio_ms_done=700)

    def wait_for_a_beat_of(seconds):
        now[0] = seconds
        until = time.monotonic() + 600
        while job.claim().usage.run_seconds != seconds and time.monotonic() < until:
            time.sleep(0.001)

    with owner.heartbeats(every_seconds=0.001):
        for seconds in (100.0, 200.0):
            wait_for_a_beat_of(seconds)  # it may have been begun before the clock moved
            wait_for_a_beat_of(seconds + 1)
    owner.check()

    assert (job.claim().state, job.claim().usage.audio_ms_done) == ("running", 700)
    now[0] = 322.0
    with pytest.raises(FencedError):
        owner.check()


def test_what_a_worker_writes_lies_among_no_other_objects_before_it_is_whole(job, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append([o.key for o in job.storage.list("")]))

    LeaseOwnership.take(job.request(), WorkerSession("worker-1")).end("done")

    assert seen == [["audio.flac"], ["audio.flac", "claim-1.json"]]


def test_audio_that_is_not_the_jobs_own_is_refused_for_now(job, fake_models):
    outcome = run_job(job.request(audio_sha256="0" * 64), fake_models(), quiet)

    assert (outcome.state, outcome.error.code) == ("failed", "audio_changed")
    assert not outcome.error.permanent
    assert job.claim().error == outcome.error


def test_audio_that_cannot_be_decoded_is_the_files_fault(job, fake_models, tmp_path):
    job.storage.write("audio.flac", b"nothing")
    digest = hashlib.sha256(b"nothing").hexdigest()

    outcome = run_job(job.request(audio_sha256=digest), fake_models(), quiet)

    assert (outcome.error.code, outcome.error.permanent) == ("audio_unreadable", True)


@pytest.mark.parametrize("address", ["https://bucket/audio", "with url: /bucket/audio"])
def test_a_crash_ends_the_claim_and_tells_no_address(job, fake_models, address):
    def crash(_transcriber):
        raise RuntimeError(f"could not GET {address}?X-Amz-Signature=abc")

    outcome = run_job(job.request(), fake_models(crash), quiet)

    assert outcome.error.code == "internal"
    assert "Signature" not in job.claim().model_dump_json()


def test_two_results_never_replace_each_other(job, fake_models):
    def somebody_else_finishes(_transcriber):
        job.storage.create("result.json", b'{"standing": true}')

    run_job(job.request(), fake_models(somebody_else_finishes), quiet)

    assert job.storage.read("result.json") == b'{"standing": true}'


def test_no_address_shows_in_what_is_printed_of_a_request(job):
    assert "file://" not in repr(job.request())


def test_a_job_of_a_later_contract_is_refused_before_any_claim(job, fake_models):
    """CONTRACT_VERSION rises when a worker of the old version would do the wrong thing."""
    outcome = run_job(job.request(version=CONTRACT_VERSION + 1), fake_models(), quiet)

    assert (outcome.state, outcome.error.permanent) == ("failed", False)
    assert "deploy the worker" in outcome.error.message
    assert job.storage.read("claim-1.json") is None


def test_a_job_that_was_stopped_before_it_began_is_not_even_claimed(job, fake_models):
    stop = Stop()
    stop.request("preempted")

    outcome = run_job(job.request(), fake_models(), quiet, stop)

    assert (outcome.state, outcome.error.code) == ("stopped", "cancelled")
    assert job.storage.read("claim-1.json") is None


def test_a_stop_is_heard_while_somebody_still_fetches_the_audio(job, fake_models, monkeypatch):
    monkeypatch.setattr(attempt, "_POLL_SECONDS", 0.001)
    stop = Stop()
    never = Future()
    monkeypatch.setattr(never, "done", lambda: stop.request("preempted"))

    outcome = run_job(job.request(), fake_models(), quiet, stop, never)

    assert outcome.state == "stopped"
    assert job.claim().state == "stopped"


def test_a_stop_is_heard_between_the_frames_of_the_audio(job, fake_models, monkeypatch):
    stop, real = Stop(), audio_download.decode

    def decodes(*wishes):
        stop.request("preempted")
        return real(*wishes)

    monkeypatch.setattr(audio_download, "decode", decodes)
    models = fake_models()

    assert run_job(job.request(), models, quiet, stop).state == "stopped"
    assert models.transcriber.calls == 0


def test_a_look_at_the_result_that_fails_ahead_costs_no_attempt(job, fake_models, monkeypatch):
    with monkeypatch.context() as network, ThreadPoolExecutor(1) as thread:

        def does_not_answer(_address):
            raise transfer.TransferError("the store answered 503", unreachable=True)

        network.setattr(transfer, "read", does_not_answer)
        ahead = thread.submit(audio_download.prepare_ahead, job.request())
        ahead.exception()

    assert run_job(job.request(), fake_models(), quiet, None, ahead).state == "done"


def test_the_words_are_kept_while_the_speakers_are_looked_for(job, fake_models, monkeypatch):
    now, models, seen = [0.0], fake_models(), []
    monkeypatch.setattr(attempt, "clock_seconds", lambda: now[0])

    def takes_long(samples, regions, speakers, check):
        now[0] += 601
        check()
        seen.append(job.storage.read("partial-1.json") is not None)
        return Diarization()

    models.diarizer.diarize = takes_long

    assert run_job(job.request(), models, quiet).state == "done"
    assert seen == [True]


def test_a_card_that_is_lost_in_the_middle_of_a_job_has_no_memory(monkeypatch):
    class LostError(Exception):
        pass

    def lost(_handle):
        raise LostError

    driver = SimpleNamespace(NVMLError=LostError, nvmlDeviceGetMemoryInfo=lost)

    assert gpu_memory._memory(driver, None) == gpu_memory.Memory(0, 0)
