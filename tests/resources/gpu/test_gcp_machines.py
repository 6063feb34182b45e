"""Real workers on machines of GCP Batch that are preempted, vanish, or never come."""

import asyncio
import hashlib
import shutil
import time
import wave
from datetime import timedelta
from pathlib import Path

import pytest

from escriba.settings import load_settings
from gpu_job import transfer
from gpu_job.contract import JobResult, Lease, Manifest, SpeechRegion
from gpu_job.contract.packing import packed, unpacked
from resources.demo_models import unpack_demo_models
from resources.gpu.batch_machines.provider import MachineJob
from resources.gpu.batch_machines.time_sources import Time
from resources.gpu.gcp.access_token import access_token
from resources.gpu.gcp.batch_options import batch_options
from resources.gpu.gcp.provider import GcpMachines
from tests.conftest import RECORDINGS
from tests.fake_gcp_batch import FakeGcpBatch

REPEATED = 40  # of the demo recording: its work outlasts the second between two looks for notices


@pytest.fixture(scope="module")
def long(tmp_path_factory, cut):
    """Some minutes of speech, which take a worker some seconds."""
    folder = tmp_path_factory.mktemp("long")
    once = cut(RECORDINGS / "english-2-voices.mp3", folder / "once.wav", 30.0)
    path = folder / "long.wav"
    with wave.open(str(once)) as given, wave.open(str(path), "wb") as made:
        made.setparams(given.getparams())
        made.writeframes(given.readframes(given.getnframes()) * REPEATED)
    return path


@pytest.fixture
def requests(storage, jobs, long, tmp_path):
    """A long job and a short one, in this order."""
    storage.upload("long.wav", Path(shutil.copy(long, tmp_path)))

    def address(name, permission):
        return storage.address(name, permission, timedelta(hours=1))

    short = jobs[0](2)
    regions = tuple(
        SpeechRegion(start_ms=start, end_ms=start + 28_000)
        for start in range(0, 30_000 * REPEATED, 30_000)
    )
    first = jobs[0](1)
    more = {"audio": address("long.wav", "read"), "partial_write": address("partial-1", "write")}
    changes = {
        "addresses": first.addresses.model_copy(update=more),
        "audio_sha256": hashlib.sha256(long.read_bytes()).hexdigest(),
        "regions": regions,
        "audio_ms": 30_000 * REPEATED,
    }
    return first.model_copy(update=changes), short


@pytest.fixture
def job(storage, requests):
    """The machine job of both."""
    storage.write("manifest.json", packed(Manifest(requests=requests).model_dump_json().encode()))
    url = storage.address("manifest.json", "read", timedelta(hours=1)).url
    return MachineJob("escriba-1", url, 600, 600)


@pytest.fixture
def gcp():
    models = unpack_demo_models(Path("models").absolute())
    with FakeGcpBatch(models, regions=("us-central1", "us-east1")) as fake:
        yield fake


def lease(request):
    body = transfer.read(request.addresses.claim_read)
    return None if body is None else Lease.model_validate_json(body)


def result(request):
    body = transfer.read(request.addresses.result_read)
    return None if body is None else JobResult.model_validate_json(unpacked(body))


def with_provider(gcp, use, clock=time.monotonic):
    async def main():
        settings = load_settings(**gcp.settings)
        (options,) = batch_options(settings)
        token = access_token(settings)
        provider = GcpMachines(options, settings.gcp_batch_url, token, Time(clock))
        try:
            return await use(provider)
        finally:
            await provider.close()

    return asyncio.run(main())


async def until_begun(request):
    """Until a worker has the request."""
    async with asyncio.timeout(120):
        while lease(request) is None:  # noqa: ASYNC110  # another process writes it
            await asyncio.sleep(0.02)


async def until_progress(gcp, id_):
    """Until a part of the first file is done, however slow this machine is."""
    async with asyncio.timeout(120):
        while not (worker := gcp.job(id_).worker) or not worker.has_progress:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def end_of(provider, id_):
    async with asyncio.timeout(120):
        while True:
            states = await provider.states([id_])
            if id_ not in states or states[id_].phase == "ended":
                return states.get(id_)
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("reports_exit", [False, True], ids=["code 50001", "the worker's own code"])
def test_a_machine_preempted_in_mid_file_keeps_what_it_has_and_batch_goes_on_with_the_rest(
    gcp, job, requests, reports_exit
):
    """Then the job has succeeded, although its events still show the preemption."""
    gcp.reports_exit = reports_exit

    async def use(provider):
        id_ = await provider.submit(job)
        await until_progress(gcp, id_)
        gcp.preempt(id_)
        return await end_of(provider, id_)

    state = with_provider(gcp, use)

    fake = gcp.job(job.name)
    assert state.report.status == "COMPLETED"
    codes = [
        event["taskExecution"]["exitCode"] for event in fake.events if "taskExecution" in event
    ]
    assert codes == [4 if reports_exit else 50001]
    assert fake.retries == 1
    assert lease(requests[0]).state == "stopped"
    assert result(requests[0]) is None  # the next attempt goes on from the partial result
    assert transfer.read(requests[0].addresses.partial_write) is not None
    assert result(requests[1]).attempt == 2


def test_a_machine_that_is_gone_without_a_notice_is_replaced(gcp, job, requests):
    async def use(provider):
        id_ = await provider.submit(job)
        await until_begun(requests[0])
        gcp.preempt(id_, notice=False)
        return await end_of(provider, id_)

    state = with_provider(gcp, use)

    assert state.report.status == "COMPLETED"
    assert lease(requests[0]).state == "running"  # its owner is dead, and nobody takes it over
    assert result(requests[0]) is None
    assert result(requests[1]) is not None


def test_a_run_that_takes_too_long_is_not_tried_again(gcp, job, requests):
    async def use(provider):
        id_ = await provider.submit(job)
        await until_begun(requests[0])
        gcp.time_out(id_)
        return await end_of(provider, id_)

    report = with_provider(gcp, use).report

    assert (report.status, report.code) == ("FAILED", "")
    assert report.error.startswith("it ran longer than it may")
    assert gcp.job(job.name).retries == 0


def test_a_job_that_vanishes_is_missing(gcp, job, requests):
    async def use(provider):
        id_ = await provider.submit(job)
        await until_begun(requests[0])
        gcp.lose(id_)
        return await end_of(provider, id_)

    assert with_provider(gcp, use) is None
    assert result(requests[1]) is None


def test_a_manifest_that_is_gone_fails_and_says_so(gcp, job, storage):
    storage.delete("manifest.json")

    async def use(provider):
        return await end_of(provider, await provider.submit(job))

    report = with_provider(gcp, use).report

    assert (report.status, report.code) == ("FAILED", "")
    assert "its manifest was gone" in report.error


def test_capacity_that_never_comes_in_one_region_is_found_in_the_next(gcp, job, requests):
    """It has said to be dry for longer than ten minutes, which the test does not wait."""
    gcp.capacity["us-central1"] = 0
    ahead = [0.0]

    async def use(provider):
        id_ = await provider.submit(job)
        gcp.dry_up(id_)
        await provider.states([id_])
        ahead[0] += 700
        return await end_of(provider, id_)

    state = with_provider(gcp, use, lambda: time.monotonic() + ahead[0])

    assert state.report.status == "COMPLETED"
    assert gcp.job(job.name).region == "us-east1"
    assert [result(one) is not None for one in requests] == [True, True]
    assert gcp.overlaps == []


def test_a_worker_that_is_stopped_keeps_what_it_has(gcp, job, requests):
    async def use(provider):
        id_ = await provider.submit(job)
        await until_begun(requests[0])
        await provider.stop([id_])
        return await end_of(provider, id_)

    report = with_provider(gcp, use).report

    assert (report.status, report.code) == ("CANCELLED", "cancelled")
    assert lease(requests[0]).state == "stopped"
    assert gcp.job(job.name).retries == 0
