"""Batch jobs: how attempts leave together, what RunPod loses, and who may cancel what."""

import asyncio
from contextlib import AsyncExitStack
from decimal import Decimal

import pytest

from escriba.billing.quotes import Quote
from escriba.errors import BackendUnavailableError
from resources.gpu.runpod.batch_ids import BatchedAttempt, batched
from tests.fake_runpod import LOST_ANSWER, RESET, Fault
from tests.fake_runpod_batches import CALL_BYTES

QUOTE = Quote("runpod", "l4", Decimal("0.01"), 20.0, 25.0, "planned")
REFUSED = Fault(status=400, body=b'{"error": "batch jobs are not available"}')


def done(input_, _tell):
    return {"output": {"job": input_["job"], "attempt": input_["attempt"], "state": "done"}}


@pytest.fixture
def batches_of(backend_of):
    """A backend with batch jobs."""
    return lambda **changes: backend_of(**{"runpod_batch_jobs": True} | changes)


async def submitted(backend, stack, requests):
    """The submissions of these requests, whose slots are held until the stack is left."""

    async def one(request):
        return await backend.submit(request, QUOTE, lambda _: None)

    for _ in requests:
        await stack.enter_async_context(backend.slot())
    return await asyncio.gather(*map(one, requests))


async def end_of(backend, submission):
    async with asyncio.timeout(60):
        while (report := await backend.poll(submission, 1.0)) is None:
            pass
    return report


async def ends_of(backend, requests):
    """How attempts ended that were submitted together, each in its slot."""

    async def one(request):
        async with backend.slot():
            return await end_of(backend, await backend.submit(request, QUOTE, lambda _: None))

    try:
        return [report.status for report in await asyncio.gather(*map(one, requests))]
    finally:
        await backend.close()


def calls(runpod):
    """The calls that submit."""
    names = ("batch-create", "batch-append", "batch-finalize", "run")
    return {name: runpod.count(name) for name in names if runpod.count(name)}


def test_500_jobs_are_submitted_with_two_calls(runpod, batches_of, new_request):
    runpod.work(done)
    requests = [new_request() for _ in range(500)]

    ends = asyncio.run(ends_of(batches_of(runpod_jobs_at_once=500), requests))

    assert ends == ["COMPLETED"] * 500
    assert calls(runpod) == {"batch-create": 1, "batch-finalize": 1}
    assert runpod.count("status") == 0
    assert sorted(job.input["job"] for job in runpod.jobs.values()) == [r.job for r in requests]


def test_no_call_has_more_than_10_mib(runpod, batches_of, new_request):
    runpod.work(done)
    requests = [new_request(regions=10_000) for _ in range(30)]

    ends = asyncio.run(ends_of(batches_of(), requests))

    assert ends == ["COMPLETED"] * 30
    assert calls(runpod) == {"batch-create": 1, "batch-append": 1, "batch-finalize": 1}
    assert max(runpod.batches.bodies) <= CALL_BYTES < sum(runpod.batches.bodies)


def test_each_request_has_its_own_limits(runpod, batches_of, new_request):
    runpod.work(done)

    asyncio.run(ends_of(batches_of(), [new_request()]))

    (job,) = runpod.jobs.values()
    assert job.policy["executionTimeout"] > 7_200_000
    assert job.policy["ttl"] == job.policy["executionTimeout"] + 21_600_000


@pytest.mark.parametrize("is_of_july", [False, True])
def test_both_documented_forms_of_answers_are_read_page_by_page(
    is_of_july, runpod, batches_of, new_request
):
    runpod.work(done)
    runpod.batches.is_of_july, runpod.batches.page = is_of_july, 2

    ends = asyncio.run(ends_of(batches_of(), [new_request() for _ in range(5)]))

    assert ends == ["COMPLETED"] * 5


def test_the_error_of_a_failed_request_is_reported_if_its_request_is_known(
    runpod, batches_of, new_request
):
    def fail(input_, tell):
        tell(done(input_, tell)["output"] | {"audio_seconds_done": 1, "audio_seconds": 8})
        seen = runpod.count("batch-requests") + 2
        while runpod.count("batch-requests") < seen and not runpod.released.wait(0.01):
            pass
        return {"error": '{"code": "out_of_memory", "message": "the GPU is full"}'}

    async def go():
        backend = batches_of()
        async with AsyncExitStack() as stack:
            (submission,) = await submitted(backend, stack, [new_request()])
            report = await end_of(backend, submission)
        await backend.close()
        return report

    runpod.work(fail)
    report = asyncio.run(go())

    assert report.status == "FAILED"
    assert "the GPU is full" in report.error


def test_a_request_that_runpod_loses_is_reported_and_the_others_end(
    runpod, batches_of, new_request
):
    async def go():
        backend = batches_of()
        async with AsyncExitStack() as stack:
            submissions = await submitted(backend, stack, [new_request() for _ in range(3)])
            runpod.lose("job-2")
            runpod.work(done)
            ends = [(await end_of(backend, one)).status for one in submissions]
        await backend.close()
        return ends

    assert asyncio.run(go()) == ["COMPLETED", "LOST", "COMPLETED"]


def test_a_batch_that_runpod_loses_is_reported_for_each_attempt(runpod, batches_of, new_request):
    async def go():
        backend = batches_of()
        async with AsyncExitStack() as stack:
            submissions = await submitted(backend, stack, [new_request() for _ in range(2)])
            runpod.batches.all.clear()
            ends = [(await end_of(backend, one)).status for one in submissions]
        await backend.close()
        return ends

    assert asyncio.run(go()) == ["LOST", "LOST"]


@pytest.mark.parametrize("call", ["batch-create", "batch-finalize"])
def test_a_lost_answer_runs_nothing_twice(call, runpod, batches_of, new_request):
    runpod.faults[call].append(LOST_ANSWER)
    runpod.work(done)

    ends = asyncio.run(ends_of(batches_of(), [new_request() for _ in range(3)]))

    assert ends == ["COMPLETED"] * 3
    assert [one.status for one in runpod.batches.all.values()].count("FINALIZED") == 1
    assert [job.status for job in runpod.jobs.values()].count("COMPLETED") == 3
    assert runpod.count(call) == 2


def test_an_answer_that_runs_requests_twice_in_one_batch_is_no_trouble(
    runpod, batches_of, new_request
):
    runpod.faults["batch-append"].append(LOST_ANSWER)
    runpod.work(done)

    ends = asyncio.run(ends_of(batches_of(), [new_request(regions=10_000) for _ in range(30)]))

    assert ends == ["COMPLETED"] * 30
    assert len(runpod.jobs) > 30


def test_a_batch_that_is_never_finalized_is_refused_and_cancelled(runpod, batches_of, new_request):
    async def go():
        backend = batches_of()
        with pytest.raises(BackendUnavailableError, match="did not finalize") as error:
            async with AsyncExitStack() as stack:
                await submitted(backend, stack, [new_request()])
        await backend.close()
        return error.value.lasting

    runpod.faults["batch-finalize"].extend([RESET] * 4)

    assert asyncio.run(go()) is False
    assert [one.status for one in runpod.batches.all.values()] == ["CANCELLED"]
    assert runpod.count("run") == 0


@pytest.mark.parametrize("faults", [[REFUSED], [RESET] * 4])
def test_where_runpod_takes_no_batch_jobs_are_submitted_singly(
    faults, runpod, batches_of, new_request
):
    runpod.faults["batch-create"].extend(faults)
    runpod.work(done)

    ends = asyncio.run(ends_of(batches_of(), [new_request() for _ in range(3)]))

    assert ends == ["COMPLETED"] * 3
    assert runpod.count("run") == 3


def test_no_more_than_10_batches_are_active(runpod, batches_of, new_request):
    async def go():
        backend, ids = batches_of(), []
        async with AsyncExitStack() as stack:
            for _ in range(12):
                ids += await submitted(backend, stack, [new_request()])
        await backend.close()
        return [batched(one.provider_id) is not None for one in ids]

    assert asyncio.run(go()) == [True] * 10 + [False] * 2
    assert runpod.count("batch-create") == 10


def test_a_refused_key_is_the_settings_fault(runpod, batches_of, new_request):
    async def go():
        backend = batches_of(runpod_api_key="another")
        with pytest.raises(BackendUnavailableError, match="RUNPOD_API_KEY") as error:
            async with AsyncExitStack() as stack:
                await submitted(backend, stack, [new_request()])
        await backend.close()
        return error.value.lasting

    assert asyncio.run(go()) is True
    assert runpod.count("run") == 0


def test_a_batch_is_cancelled_when_its_last_attempt_is(runpod, batches_of, new_request):
    async def go():
        backend, states = batches_of(), []
        async with AsyncExitStack() as stack:
            submissions = await submitted(backend, stack, [new_request() for _ in range(2)])
            (batch,) = runpod.batches.all.values()
            for one in submissions:
                await backend.cancel(one)
                backend._batches.let_go(batched(one.provider_id))
                states.append(batch.status)
        await backend.close()
        return states

    assert asyncio.run(go()) == ["FINALIZED", "CANCELLED"]
    assert {job.status for job in runpod.jobs.values()} == {"CANCELLED"}


def test_what_was_given_up_is_cancelled_when_the_others_have_ended(runpod, batches_of, new_request):
    async def attempt(backend, request, *, is_given_up):
        async with backend.slot():
            one = await backend.submit(request, QUOTE, lambda _: None)
            if is_given_up:
                await backend.cancel(one)
                assert runpod.count("batch-cancel") == 0

    async def go():
        backend = batches_of()
        await asyncio.gather(
            attempt(backend, new_request(), is_given_up=True),
            attempt(backend, new_request(), is_given_up=False),
        )
        await backend.close()

    asyncio.run(go())

    assert runpod.count("batch-cancel") == 1


def test_the_end_of_a_run_cancels_its_batches_once(runpod, batches_of, new_request):
    async def go():
        backend = batches_of()

        async def attempt():
            async with backend.slot():
                one = await backend.submit(new_request(), QUOTE, lambda _: None)
                await end_of(backend, one)

        tasks = [asyncio.ensure_future(attempt()) for _ in range(3)]
        await asyncio.to_thread(runpod.wait_for, lambda: runpod.count("batch-finalize"))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await backend.close()
        await backend.close()

    asyncio.run(go())

    assert [one.status for one in runpod.batches.all.values()] == ["CANCELLED"]
    assert runpod.count("batch-cancel") == 1


def test_an_attempt_that_is_interrupted_while_it_waits_for_others_is_left_out(
    runpod, batches_of, new_request
):
    async def go():
        backend = batches_of()
        runpod.faults["batch-create"].append(LOST_ANSWER)
        requests = [new_request() for _ in range(3)]
        tasks = [
            asyncio.ensure_future(backend.submit(one, QUOTE, lambda _: None)) for one in requests
        ]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await backend.close()
        return requests

    requests = asyncio.run(go())

    jobs = {job.input["job"] for job in runpod.jobs.values()}
    assert jobs == {requests[0].job, requests[2].job}


def test_another_orchestrator_follows_an_attempt_and_leaves_the_batch_alone(
    runpod, batches_of, new_request
):
    async def go():
        ours, other = batches_of(), batches_of(runpod_batch_jobs=False)
        async with AsyncExitStack() as stack:
            submissions = await submitted(ours, stack, [new_request() for _ in range(2)])
            await other.cancel(submissions[0])
            runpod.work(done)
            ends = [(await end_of(other, one)).status for one in submissions]
            await other.close()
        await ours.close()
        return ends

    assert asyncio.run(go()) == ["COMPLETED", "COMPLETED"]
    assert runpod.count("batch-cancel") == 0


def test_nothing_is_kept_of_a_batch_that_is_over(runpod, batches_of, new_request):
    runpod.work(done)

    async def go():
        backend = batches_of()
        for _ in range(2):
            async with backend.slot():
                await end_of(backend, await backend.submit(new_request(), QUOTE, lambda _: None))
        kept = len(backend._batches), backend._mine, backend._left
        await backend.close()
        return kept

    assert asyncio.run(go()) == (0, {}, {})


@pytest.mark.parametrize("id_", ["job-1", "somebody-elses", "batch#job", "batch#job/x/1"])
def test_an_id_of_another_form_is_a_job_of_its_own(id_):
    assert batched(id_) is None


def test_an_id_names_batch_and_attempt():
    attempt = BatchedAttempt("batch_1", "f" * 64, 2, 500)

    assert batched(str(attempt)) == attempt
