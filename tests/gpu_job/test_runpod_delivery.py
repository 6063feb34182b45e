"""What the handler makes of a job's end, without RunPod's SDK; `run` stands for the job."""

import asyncio
import json
import threading

import pytest

from gpu_job.contract import JobError
from gpu_job.job import AttemptOutcome
from gpu_job.runpod_delivery import RunPodHandler
from gpu_job.stop_request import StoppedError

SECONDS = 60  # for machines that have a lot else to do
NO_MEMORY = "the smallest batch did not fit"


class FakeRun:
    """A job that goes on until the test lets it end, or until it is stopped and the test agrees."""

    def __init__(self):
        self.calls, self.began, self.may_end = [], threading.Event(), threading.Event()
        self.stopped, self.outcome = threading.Event(), AttemptOutcome("done")

    def __call__(self, request, models, report, stop, preparing):
        self.calls.append(request.attempt)
        self.began.set()
        while not self.may_end.wait(0.001):
            try:
                stop.check()
            except StoppedError as why:
                self.stopped.set()
                self.may_end.wait(SECONDS)
                return AttemptOutcome(
                    "stopped", JobError(code="cancelled", permanent=False, message=str(why))
                )
        return self.outcome


async def until(event):
    assert await asyncio.to_thread(event.wait, SECONDS)


async def both_in_hand(handler):
    while handler.lookahead.jobs < 2:  # noqa: ASYNC110  # the handler tells nobody of it
        await asyncio.sleep(0)


@pytest.fixture
def run():
    return FakeRun()


@pytest.fixture
def handler(run, fake_models):
    return RunPodHandler(fake_models(), run)


@pytest.fixture
def delivery(job):
    return lambda attempt=1: {
        "id": str(attempt),
        "input": job.request(attempt).model_dump(mode="json"),
    }


def test_a_cancelled_job_is_over_only_when_its_thread_has_ended(handler, run, delivery):
    async def scenario():
        task = asyncio.create_task(handler(delivery()))
        await until(run.began)
        task.cancel()
        await until(run.stopped)
        task.cancel()  # once more, by somebody without patience
        await asyncio.sleep(0)
        assert not task.done()
        run.may_end.set()
        await asyncio.wait({task})
        return task

    assert asyncio.run(scenario()).cancelled()


def test_one_job_computes_at_a_time_and_one_that_is_cancelled_before_takes_no_claim(
    handler, run, delivery, job
):
    async def scenario():
        first = asyncio.create_task(handler(delivery(1)))
        await until(run.began)
        second = asyncio.create_task(handler(delivery(2)))
        await both_in_hand(handler)
        assert run.calls == [1]
        assert handler.lookahead.concurrency() == 2
        second.cancel()
        await asyncio.wait({second})
        run.may_end.set()
        return await first

    assert asyncio.run(scenario())["state"] == "done"
    assert run.calls == [1]
    assert job.storage.read("claim-2.json") is None


def test_after_out_of_memory_the_worker_is_refreshed_and_the_job_that_waits_is_given_back(
    handler, run, delivery
):
    error = JobError(code="out_of_memory", permanent=False, message=NO_MEMORY)
    run.outcome = AttemptOutcome("failed", error, NO_MEMORY)

    async def scenario():
        first = asyncio.create_task(handler(delivery(1)))
        await until(run.began)
        second = asyncio.create_task(handler(delivery(2)))
        await both_in_hand(handler)
        run.may_end.set()
        return await first, await second

    first, second = asyncio.run(scenario())

    assert (first["refresh_worker"], second["refresh_worker"]) == (True, True)
    assert json.loads(first["error"])["code"] == "out_of_memory"
    assert "the worker restarts" in json.loads(second["error"])["message"]
    assert run.calls == [1]
    assert handler.retired == NO_MEMORY


def test_a_machine_that_is_taken_away_stops_its_job_and_begins_no_other(handler, run, delivery):
    async def scenario():
        first = asyncio.create_task(handler(delivery(1)))
        await until(run.began)
        second = asyncio.create_task(handler(delivery(2)))
        await both_in_hand(handler)
        handler.preempted()
        await until(run.stopped)
        run.may_end.set()
        return [await first, await second, await handler(delivery(3))]

    answers = asyncio.run(scenario())

    assert [answer["state"] for answer in answers] == ["stopped", "failed", "failed"]
    assert {json.loads(answer["error"])["code"] for answer in answers} == {"cancelled"}
    assert run.calls == [1]


def test_runpod_is_told_of_progress_every_five_seconds_at_most(fake_models, delivery):
    now, told = [0.0], []

    def run(request, models, report, stop, preparing):
        for now[0] in (0.0, 1.0, 4.0, 6.0, 10.9, 11.0):
            report(int(now[0] * 10))
        return AttemptOutcome("done")

    handler = RunPodHandler(
        fake_models(), run, lambda _, progress: told.append(progress), lambda: now[0]
    )
    asyncio.run(handler(delivery()))

    assert [each["audio_seconds_done"] for each in told] == [0.0, 0.1, 0.1]
    assert told[0]["audio_seconds"] == 0.9
    assert len(told) == 3


def test_a_crash_is_a_failure_that_tells_no_address(fake_models, delivery):
    def run(*_, **__):
        raise RuntimeError("could not GET https://bucket/x?X-Amz-Signature=1")

    answer = asyncio.run(RunPodHandler(fake_models(), run)(delivery()))

    assert answer["state"] == "failed"
    assert json.loads(answer["error"])["message"] == "RuntimeError"


@pytest.mark.parametrize("input_", [None, {}, {"job": "x"}, "text"])
def test_what_is_no_request_is_refused_with_what_to_do(fake_models, input_):
    answer = asyncio.run(RunPodHandler(fake_models(), None)({"id": "1", "input": input_}))

    assert set(answer) == {"error"}
    assert "Deploy the worker image" in json.loads(answer["error"])["message"]


def test_a_job_is_really_done_with_the_audio_that_was_fetched_ahead(job, fake_models):
    models = fake_models()
    given = {"id": "1", "input": job.request().model_dump(mode="json")}

    answer = asyncio.run(RunPodHandler(models)(given))

    assert answer == {"job": "a" * 64, "attempt": 1, "state": "done"}
    assert job.claim().state == "done"
