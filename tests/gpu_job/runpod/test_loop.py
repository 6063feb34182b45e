"""RunPod's own worker loop, the real handler and real models, against a RunPod on loopback."""

import json

import pytest

pytestmark = pytest.mark.torch


def test_a_job_is_done_and_answered_with_a_pointer(runpod, start_pod, new_job):
    job = new_job()
    start_pod()
    ended = runpod.end_of(runpod.run(job.payload()))

    assert ended.status == "COMPLETED"
    assert ended.output == {"job": job.result().job, "attempt": 1, "state": "done"}
    assert ended.progress[0]["audio_seconds"] == 40.0
    assert job.claim().state == "done"
    assert job.result().turns


def test_a_job_that_fails_says_why_by_code_and_without_an_address(runpod, start_pod, new_job):
    job = new_job()
    pod = start_pod()
    ended = runpod.end_of(runpod.run(job.payload(audio_sha256="0" * 64)))

    assert ended.status == "FAILED"
    error = json.loads(ended.error)
    assert (error["code"], error["permanent"]) == ("audio_changed", False)
    assert ended.output == {"job": job.request().job, "attempt": 1, "state": "failed"}
    assert job.claim().state == "failed"

    nothing = runpod.end_of(runpod.run({"audio": "https://elsewhere/x?X-Amz-Signature=1"}))
    assert nothing.status == "FAILED"
    assert "attempt" in json.loads(nothing.error)["message"]
    assert "Signature" not in pod.log + str(ended.answers) + str(nothing.answers)


def test_a_cancelled_job_really_stops_and_the_next_one_is_done(runpod, start_pod, new_job):
    job, after = new_job(times=6), new_job()
    start_pod()
    cancelled = runpod.run(job.payload())
    runpod.begun(cancelled)

    runpod.cancel(cancelled)
    ended = runpod.end_of(runpod.run(after.payload()))

    assert ended.output["state"] == "done"
    claim = job.claim()
    assert (claim.state, claim.error.code) == ("stopped", "cancelled")
    assert 0 < claim.usage.audio_ms_done < 260_000
    assert job.result() is None
    assert runpod.jobs[cancelled].answers == []


def test_two_deliveries_of_one_attempt_are_computed_once(runpod, start_pod, new_job):
    job = new_job(times=4)
    start_pod()
    start_pod()
    twice = [runpod.run(job.payload()) for _ in range(2)]

    states = sorted(runpod.end_of(id_).output["state"] for id_ in twice)

    assert states == ["done", "duplicate"]
    assert {runpod.jobs[id_].worker for id_ in twice} == {"pod-1", "pod-2"}
    assert job.claim().state == "done"


def test_sigterm_stops_the_job_and_ends_the_worker(runpod, start_pod, new_job):
    job = new_job(times=6)
    pod = start_pod()
    id_ = runpod.run(job.payload())
    runpod.begun(id_)

    pod.terminate()

    assert pod.exit_status() == 0
    assert (runpod.jobs[id_].status, runpod.jobs[id_].output["state"]) == ("FAILED", "stopped")
    assert job.claim().state == "stopped"
    start_pod()
    assert runpod.end_of(runpod.run(job.payload(attempt=2))).output["state"] == "done"


def test_an_idle_worker_ends_at_once_at_sigterm(runpod, start_pod):
    pod = start_pod()
    runpod.wait_for(lambda: runpod.pings)

    pod.terminate()

    assert pod.exit_status() in (0, -15)  # by its own handler, or before it had one


def test_a_worker_that_is_killed_costs_one_attempt(runpod, start_pod, new_job):
    job = new_job(times=6)
    pod = start_pod()
    id_ = runpod.run(job.payload())
    runpod.begun(id_)

    pod.kill()
    runpod.deliver_again(id_)
    start_pod()

    assert runpod.end_of(id_).output["state"] == "duplicate"  # that attempt has its claim
    assert job.claim().state == "running"
    assert runpod.end_of(runpod.run(job.payload(attempt=2))).output["state"] == "done"


def test_a_process_that_must_not_go_on_is_refreshed_and_ends(runpod, start_pod, new_job):
    job = new_job()
    pod = start_pod(RETIRE_AFTER_JOBS="1")

    ended = runpod.end_of(runpod.run(job.payload()))

    assert ended.output["state"] == "done"
    assert runpod.stopped_pods == [pod.name]
    assert pod.exit_status() == 0


def test_the_next_job_is_taken_when_the_first_is_nearly_done_and_not_while_nobody_knows(
    runpod, start_pod, new_job
):
    start_pod()
    first = runpod.run(new_job(times=2).payload())
    runpod.begun(first)  # of the first job nobody knows how long the speakers will take
    second, third = (runpod.run(new_job(times=8).payload()) for _ in range(2))
    assert runpod.jobs[second].status == "IN_QUEUE"
    runpod.end_of(first)

    runpod.begun(second)
    runpod.wait_for(lambda: runpod.jobs[third].worker)

    assert runpod.jobs[second].status == "IN_PROGRESS"
    assert [runpod.end_of(id_).output["state"] for id_ in (second, third)] == ["done"] * 2


def test_a_worker_without_a_card_or_a_model_is_unhealthy_and_says_so(runpod, start_pod, tmp_path):
    no_card = start_pod(DEVICE="cuda")
    no_model = start_pod(MODEL="no-such-model", HF_HUB_OFFLINE="1", HOME=str(tmp_path))

    assert (no_card.exit_status(), no_model.exit_status()) == (1, 1)
    reasons = {ping["worker"]: ping["reason"] for ping in runpod.pings if "reason" in ping}
    assert "the driver shows no GPU" in reasons["pod-1"]
    assert "MODEL=no-such-model" in reasons["pod-2"]
