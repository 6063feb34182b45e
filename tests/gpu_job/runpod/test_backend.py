"""The runpod backend, RunPod's own worker loop and the real handler, over a bucket on S3."""

import asyncio
import time
from decimal import Decimal

import pytest

from escriba.billing.quotes import Quote
from escriba.settings import load_settings
from resources.gpu.runpod.backend import RunPodBackend
from resources.gpu.runpod.client import Time
from resources.gpu.runpod.endpoints import endpoints_of

pytestmark = pytest.mark.torch

TIMES_AS_FAST = 20  # the waiting of the backend; a worker takes its time
WAIT_SECONDS = 240
QUOTE = Quote("runpod", "l4", Decimal(0), 20.0, 25.0, "planned")


async def sleep(seconds):
    await asyncio.sleep(seconds / TIMES_AS_FAST)


def backend_of(runpod):
    settings = load_settings(**runpod.settings)
    quick = Time(lambda: time.monotonic() * TIMES_AS_FAST, sleep)
    return RunPodBackend(settings, endpoints_of(settings)[0], quick)


async def done(backend, request, told):
    async with asyncio.timeout(WAIT_SECONDS), backend.slot():
        submission = await backend.submit(request, QUOTE, told)
        while (report := await backend.poll(submission, 1)) is None:
            pass
        return report


def test_a_job_goes_through_runpod_and_its_result_lies_in_the_bucket(runpod, start_pod, new_job):
    job, torn = new_job(times=2), new_job()
    pod = start_pod()

    async def go():
        backend, told = backend_of(runpod), []
        try:
            health = await backend.health()
            report = await done(backend, job.request(), told.append)
            failed = await done(backend, torn.request(audio_sha256="0" * 64), told.append)
            return health, report, failed, told
        finally:
            await backend.close()

    health, report, failed, told = asyncio.run(go())

    assert health.state == "well"
    assert (report.status, report.error) == ("COMPLETED", "")
    assert job.result().segments
    assert job.claim().state == "done"
    assert told == sorted(told)
    assert failed.status == "FAILED"
    assert failed.error.startswith("audio_changed: ")
    assert torn.result() is None
    assert "Signature" not in pod.log


def test_the_end_of_a_run_stops_what_runs_on_runpod(runpod, start_pod, new_job):
    job = new_job(times=8)
    start_pod()

    async def go():
        backend = backend_of(runpod)
        task = asyncio.ensure_future(done(backend, job.request(), lambda _: None))
        await asyncio.to_thread(runpod.wait_for, lambda: any(j.progress for j in jobs()))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await backend.close()

    def jobs():
        return list(runpod.jobs.values())

    asyncio.run(go())
    (cancelled,) = jobs()
    assert cancelled.status == "CANCELLED"

    after = new_job()
    assert runpod.end_of(runpod.run(after.payload())).output["state"] == "done"
    assert job.claim().state == "stopped"
    assert job.result() is None
