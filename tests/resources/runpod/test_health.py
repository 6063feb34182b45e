"""The verdict on an endpoint, case by case, and how seldom it is asked for."""

import asyncio
from decimal import Decimal

import pytest

from escriba.billing.quotes import Quote
from resources.gpu.runpod.health import verdict
from tests.fake_runpod import HTML, RESET, Fault, busy

QUOTE = Quote("runpod", "l4", Decimal("0.01"), 600.0, 630.0, "planned")


def told(queued=0, **workers):
    jobs = {"completed": 9, "failed": 1, "inProgress": 0, "inQueue": queued, "retried": 0}
    return {"jobs": jobs, "workers": workers}


@pytest.mark.parametrize(
    ("seen", "alone_seconds", "state", "word"),
    [
        (told(idle=1, running=0), 0, "well", ""),
        (told(idle=0, running=2, throttled=3, unhealthy=1), 0, "well", ""),
        (told(idle=0, running=0, ready=1), 0, "well", ""),
        (told(5, idle=0, running=0, initializing=1), 900, "well", ""),
        (told(idle=0, running=0), 0, "well", ""),  # one starts with the first job
        (told(5, idle=0, running=0), 0, "well", ""),  # it may be starting just now
        (told(5, idle=0, running=0), 30, "degraded", "no worker for 30 s"),
        (told(5, idle=0, running=0), 600, "down", "escriba deploy runpod"),
        (told(5, throttled=3), 0, "degraded", "no free GPU"),
        (told(0, throttled=3), 0, "degraded", "no free GPU"),
        (told(5, throttled=1, unhealthy=2), 0, "degraded", "no free GPU"),
        (told(5, unhealthy=2), 0, "down", "all 2 workers are unhealthy"),
        (told(0, unhealthy=2), 0, "down", "all 2 workers are unhealthy"),
        # what cannot be read says nothing against it
        ({}, 0, "well", ""),
        ({"jobs": None, "workers": [1]}, 0, "well", ""),
        ({"jobs": {"inQueue": "many"}, "workers": {"idle": -1}}, 900, "well", ""),
    ],
)
def test_the_verdict(seen, alone_seconds, state, word):
    found = verdict(seen, alone_seconds)

    assert found.state == state
    assert word in found.reason
    assert not found.lasting


@pytest.mark.parametrize(
    ("fault", "lasting", "word"),
    [
        (busy(500), False, "HTTP 500"),
        (busy(429), False, "HTTP 429"),
        (RESET, False, "does not answer"),
        (HTML, False, "without a JSON object"),
        (Fault(status=401), True, "RUNPOD_API_KEY"),
        (Fault(status=404), True, "RUNPOD_ENDPOINT_ID"),
    ],
)
def test_an_endpoint_that_does_not_answer_is_down(runpod, backend_of, fault, lasting, word):
    runpod.faults["health"].extend([fault] * 2)

    async def go():
        backend = backend_of()
        try:
            return await backend.health()
        finally:
            await backend.close()

    found = asyncio.run(go())

    assert (found.state, found.lasting) == ("down", lasting)
    assert word in found.reason


def test_one_lost_answer_does_not_make_it_down(runpod, backend_of):
    runpod.faults["health"].append(RESET)

    async def go():
        backend = backend_of()
        try:
            return await backend.health()
        finally:
            await backend.close()

    assert asyncio.run(go()).state == "well"


def test_a_thousand_who_want_to_know_are_one_request_in_half_a_minute(runpod, backend_of, slept):
    async def go():
        backend = backend_of()
        await asyncio.gather(*(backend.health() for _ in range(1_000)))
        slept.now += 29
        await backend.health()
        first = runpod.count("health")
        slept.now += 2
        await asyncio.gather(*(backend.health() for _ in range(1_000)))
        await backend.close()
        return first, runpod.count("health")

    assert asyncio.run(go()) == (1, 2)


def test_jobs_without_a_worker_are_noticed_at_the_second_look_and_given_up_after_ten_minutes(
    runpod, backend_of, slept
):
    runpod.workers = {"idle": 0, "running": 0}
    runpod.run({})

    async def go():
        backend, states = backend_of(), []
        for _ in range(22):
            states.append((await backend.health()).state)
            slept.now += 31
        runpod.workers = {"idle": 0, "running": 0, "initializing": 1}
        states.append((await backend.health()).state)
        runpod.workers = {"idle": 0, "running": 0}
        slept.now += 31
        states.append((await backend.health()).state)
        await backend.close()
        return states

    states = asyncio.run(go())

    assert states == ["well", *["degraded"] * 19, *["down"] * 2, "well", "well"]


def test_requests_of_batches_which_have_workers_of_their_own_are_not_waiting_for_these(
    runpod, backend_of, new_request, slept
):
    runpod.workers = {"idle": 0, "running": 0}

    async def go():
        backend, states = backend_of(runpod_batch_jobs=True), []
        async with backend.slot():
            await backend.submit(new_request(), QUOTE, lambda _: None)
            for _ in range(22):
                states.append((await backend.health()).state)
                slept.now += 31
        await backend.close()
        return states

    assert asyncio.run(go()) == ["well"] * 22
