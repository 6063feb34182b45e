"""An endpoint as a backend: its settings, its room, and how its jobs are cancelled."""

import asyncio
from decimal import Decimal

import pytest

from escriba.billing.quotes import JobSize, Quote
from escriba.settings import SettingsError, load_settings
from resources.gpu.backends.runpod import open_backends
from resources.gpu.job_folder import Submission
from resources.gpu.runpod import backend as backend_module
from resources.gpu.runpod.endpoints import Endpoint, endpoints_of
from tests.fake_runpod import LOST_ANSWER, RESET, busy
from tests.resources.runpod.conftest import KEY

QUOTE = Quote("runpod", "l4", Decimal("0.01"), 600.0, 630.0, "planned")


def size(**changes):
    fields = {"audio_ms": 3_600_000, "speech_ms": 3_000_000, "audio_bytes": 1, "model": "small"}
    return JobSize(**(fields | {"language": "pt", "diarized": False} | changes))


def test_there_is_one_backend_for_each_endpoint():
    settings = load_settings(
        runpod_api_key=KEY,
        runpod_endpoint_id=" abc ",
        runpod_endpoints="a6000=def, h100 = ghi,",
        runpod_regions="EU-RO-1, EU-CZ-1",
    )

    backends = open_backends(settings)

    assert [backend.sku for backend in backends] == ["l4", "a6000", "h100"]
    assert endpoints_of(settings)[2] == Endpoint("h100", "ghi")
    assert {backend.name for backend in backends} == {"runpod"}
    assert backends[0].capabilities.regions == {"EU-RO-1", "EU-CZ-1"}
    assert backends[0].capabilities.third_party
    assert open_backends(load_settings(runpod_api_key=KEY)) == []


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"runpod_endpoints": "abc"}, "RUNPOD_ENDPOINTS: 'abc' is not a pair"),
        ({"runpod_endpoints": "=abc"}, "RUNPOD_ENDPOINTS: name a GPU"),
        ({"runpod_endpoints": "l4="}, "RUNPOD_ENDPOINTS: ''"),
        ({"runpod_endpoints": "l4=abc,l4=def"}, "the GPU 'l4' is set twice"),
        ({"runpod_endpoints": "l4=abc,h100=abc"}, "the endpoint 'abc' is set twice"),
        ({"runpod_endpoint_id": "abc", "runpod_endpoints": "l4=def"}, "'l4' is set twice"),
        ({"runpod_endpoint_id": "a/../b"}, "RUNPOD_ENDPOINT_ID"),
        ({"runpod_endpoint_id": "abc", "runpod_gpu": " "}, "RUNPOD_GPU"),
        ({"runpod_endpoint_id": "abc", "runpod_api_key": ""}, "RUNPOD_API_KEY"),
    ],
)
def test_a_wrong_setting_is_named(wrong, names):
    with pytest.raises(SettingsError, match=names):
        open_backends(load_settings(**({"runpod_api_key": KEY} | wrong)))


def test_speakers_take_half_as_long_again_by_the_plan(backend_of):
    backend = backend_of()

    assert backend.speed(size()).rtf == 0.2
    assert backend.speed(size(diarized=True)).rtf == pytest.approx(0.3)
    assert backend.speed(size()).start_seconds == 30


def test_an_attempt_that_nobody_noted_is_looked_at_in_its_followers_own_pace(backend_of, slept):
    assert asyncio.run(backend_of().poll(None, 60)) is None
    assert slept.seconds == [60]


def test_a_console_page_is_named_and_shows_no_secret(backend_of):
    url = backend_of().console_url(Submission(provider_id="job-1"))

    assert url == "https://console.runpod.io/serverless/user/endpoint/endpoint"


def test_no_more_jobs_are_handed_over_at_once_than_the_setting_says(runpod, backend_of):
    async def go():
        backend, most = backend_of(runpod_jobs_at_once=3), []
        inside = 0

        async def attempt():
            nonlocal inside
            async with backend.slot():
                inside += 1
                most.append(inside)
                for _ in range(10):
                    await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(attempt() for _ in range(20)))
        return max(most)

    assert asyncio.run(go()) == 3


def test_few_requests_are_held_before_they_are_handed_over(
    runpod, backend_of, new_request, monkeypatch
):
    monkeypatch.setattr(backend_module, "HANDED_OVER_AT_ONCE", 4)

    async def go():
        backend, held, most = backend_of(), 0, []
        everybody = asyncio.Barrier(12)

        async def attempt():
            nonlocal held
            async with backend.slot():
                held += 1
                most.append(held)
                await asyncio.sleep(0)
                await backend.submit(new_request(), QUOTE, lambda _: None)
                held -= 1
                await everybody.wait()  # all hold their slots concurrently

        await asyncio.gather(*(attempt() for _ in range(12)))
        await backend.close()
        return max(most)

    assert asyncio.run(go()) == 4


def test_a_room_is_free_again_after_a_failure(backend_of):
    async def go():
        backend = backend_of(runpod_jobs_at_once=1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                async with backend.slot():
                    raise ZeroDivisionError
        return backend._mine, backend._left

    assert asyncio.run(go()) == ({}, {})


def test_nothing_is_kept_of_a_job_that_is_over(runpod, backend_of, new_request):
    async def go():
        backend = backend_of()
        for _ in range(3):
            async with backend.slot():
                await backend.submit(new_request(), QUOTE, lambda _: None)
        kept = (len(backend._poller), backend._mine, backend._left)
        await backend.close()
        return kept

    assert asyncio.run(go()) == (0, {}, {})
    assert runpod.count("cancel") == 0


@pytest.mark.parametrize("fault", [RESET, LOST_ANSWER, busy(502), busy(429, Retry_After="2")])
def test_a_cancellation_is_tried_again(runpod, backend_of, fault):
    id_ = runpod.run({})
    runpod.faults["cancel"].extend([fault] * 3)

    async def go():
        backend = backend_of()
        await backend.cancel(Submission(provider_id=id_))
        await backend.close()

    asyncio.run(go())

    assert runpod.jobs[id_].status == "CANCELLED"
    assert runpod.count("cancel") == 4


def test_a_cancellation_that_fails_is_told_of_and_raises_nothing(runpod, backend_of, caplog):
    runpod.faults["cancel"].extend([RESET] * 4)

    async def go():
        backend = backend_of()
        await backend.cancel(Submission(provider_id="job-1"))
        await backend.cancel(Submission(provider_id="unknown"))  # gone: nothing to cancel
        await backend.close()

    asyncio.run(go())

    assert "job-1 on RunPod was not cancelled" in caplog.text
    assert "unknown" not in caplog.text


async def interrupted(backend, requests, seen=lambda: None):
    """Hands all over, and is cancelled while it follows them."""
    handed_over = asyncio.Queue()

    async def attempt(request):
        async with backend.slot():
            submission = await backend.submit(request, QUOTE, lambda _: None)
            handed_over.put_nowait(submission)
            await backend.poll(submission, 1_000)

    tasks = [asyncio.ensure_future(attempt(request)) for request in requests]
    for _ in tasks:
        await handed_over.get()
    seen()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_the_end_cancels_what_was_handed_over_at_its_pace(runpod, backend_of, new_request, slept):
    async def go():
        backend = backend_of()
        await interrupted(backend, [new_request() for _ in range(30)])
        began = slept.now
        await backend.close()
        await backend.close()
        return slept.now - began

    seconds = asyncio.run(go())

    assert {job.status for job in runpod.jobs.values()} == {"CANCELLED"}
    assert runpod.count("cancel") == 30
    assert seconds >= 29 * 0.2


def test_what_runs_is_cancelled_before_what_waits(runpod, backend_of, new_request):
    async def go():
        backend = backend_of()

        def some_run():
            phases = ["waits", "runs", "waits", "ended"]
            for id_, phase in zip(runpod.jobs, phases, strict=True):
                backend._poller._jobs[id_].phase = phase

        await interrupted(backend, [new_request() for _ in range(4)], some_run)
        order = []
        original = backend._client.cancel

        async def cancel(job):
            order.append(job)
            await original(job)

        backend._client.cancel = cancel
        await backend.close()
        return order

    first, *others = asyncio.run(go())

    assert first == "job-2"
    assert set(others) == {"job-1", "job-3"}  # as they came to RunPod, in whichever order


def test_an_end_that_takes_too_long_is_given_up(
    runpod, backend_of, new_request, monkeypatch, caplog
):
    monkeypatch.setattr(backend_module, "CLOSE_SECONDS", 0.05)

    async def go():
        backend = backend_of()
        await interrupted(backend, [new_request() for _ in range(3)])

        async def never(_):
            await asyncio.Event().wait()

        backend._client.cancel = never
        await backend.close()

    asyncio.run(go())

    assert "3 of 3 jobs on RunPod were not cancelled" in caplog.text
