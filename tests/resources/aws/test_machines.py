"""Real engines and real workers on the machines of AWS Batch: paid once, nothing lost."""

import asyncio
import hashlib
import shutil
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from escriba.billing.permissions import SpendLimits as Money
from escriba.settings import load_settings
from gpu_job.common.audio import decode, sha256_of
from gpu_job.contract import JobOptions, SpeechRegion
from resources.gpu.backends import aws_gpu, local
from resources.gpu.batch_machines.time_sources import Time
from resources.gpu.engine import JobEngine
from resources.gpu.fleet import Fleet
from resources.gpu.job_folder import FrozenRequest, JobFolder
from resources.gpu.job_orders import AttemptLimits, order_of
from resources.ledger.queries import open_ledger
from resources.ledger.writer import LedgerWriter
from resources.price_book import open_price_book
from resources.spending.budget_gate import Budget
from resources.storage import open_storage
from tests.conftest import RECORDINGS
from tests.fake_aws_batch import FakeAwsBatch
from tests.fake_aws_batch_answers import LOST_ANSWER, THROTTLED, TOO_MANY

DIALOGUE_MS, REGION_MS = 45_000, 22_500
WAIT_SECONDS = 300  # for machines that have a lot else to do


def quick(times_as_fast):
    """The waits of an orchestrator; workers live in real time."""

    async def sleep(seconds):
        await asyncio.sleep(seconds / times_as_fast)

    return Time(lambda: time.monotonic() * times_as_fast, sleep)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Makes a dialogue of so many times 45 s, as FLAC."""
    once = np.ascontiguousarray(decode(RECORDINGS / "english-2-voices.mp3", 1, 44_700))
    folder = tmp_path_factory.mktemp("recordings")

    def make(times):
        path = folder / f"{times}-times.flac"
        with av.open(str(path), "w") as made:
            stream = made.add_stream("flac", rate=16000, layout="mono")
            for _ in range(times + 1):
                frame = av.AudioFrame.from_ndarray(once, "s16", "mono")
                frame.sample_rate = 16000
                made.mux(stream.encode(frame))
            made.mux(stream.encode(None))
        return path

    return make


@pytest.fixture
def world(tmp_path, models, recording, monkeypatch):
    """A bucket, AWS Batch, and orchestrators of their own."""
    monkeypatch.setenv("BATCH_WINDOWS", "1")  # workers are slow enough to be interrupted
    bucket = (tmp_path / "bucket").as_uri()
    storage = open_storage(load_settings(storage_url=bucket))

    def order(times=2, job="a job"):
        path, starts = recording(times), range(0, times * DIALOGUE_MS, REGION_MS)
        copy = shutil.copy(path, tmp_path)
        storage.upload(f"work/acme/{job}/audio.flac", Path(copy))
        job_id = hashlib.sha256(job.encode()).hexdigest()
        frozen = FrozenRequest(
            job=job_id,
            content_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            options=JobOptions(model="demo", language="en", diarizer="none"),
            model_revision="demo@1",
            regions=tuple(SpeechRegion(start_ms=at, end_ms=at + 20_000) for at in starts),
            audio_ms=times * DIALOGUE_MS,
            recording=f"acme/{job}",
            created_at=datetime.now(UTC),
        )
        return order_of(
            JobFolder(storage, "acme", job_id),
            frozen,
            audio_key=f"work/acme/{job}/audio.flac",
            audio_sha256=sha256_of(path),
            audio_channels=1,
            audio_bytes=path.stat().st_size,
            progress=lambda _: None,
        )

    with FakeAwsBatch(models) as batch:
        settings = load_settings(storage_url=bucket, diarizer="none", **batch.settings)

        @asynccontextmanager
        async def engine(*others, queue_seconds=3_600, times_as_fast=20):
            fleet = Fleet(
                [*aws_gpu.open_backends(settings, quick(times_as_fast)), *others],
                open_price_book(settings),
                Budget(storage, Money()),
            )
            limits = AttemptLimits(queue_seconds, 7_200)
            made = JobEngine(fleet, LedgerWriter(storage), max_attempts=3, limits=limits)
            try:
                yield made
            finally:
                await made.close()

        def ends():
            with open_ledger(storage) as ledger:
                return ledger.execute(
                    "SELECT backend, attempt, status FROM attempts ORDER BY recording, attempt"
                ).fetchall()

        yield SimpleNamespace(
            batch=batch,
            storage=storage,
            settings=settings,
            engine=engine,
            order=order,
            ends=ends,
        )


def run(do):
    return asyncio.run(asyncio.wait_for(do, WAIT_SECONDS))


async def until(what):
    """Until it is true, looked at often; workers tell nobody when they write something."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not (found := await asyncio.to_thread(what)):  # noqa: ASYNC110  # files tell nobody
            await asyncio.sleep(0.02)
    return found


def names(order):
    """The objects of the job's folder."""
    listed = order.folder.storage.list(order.folder.key(""))
    return {one.key.rpartition("/")[2] for one in listed}


def test_jobs_share_a_machine_and_each_has_its_result(world):
    orders = [world.order(times=3, job=name) for name in ("one", "two", "three")]

    async def do():
        async with world.engine(times_as_fast=5) as engine:
            return await asyncio.gather(*(engine.run(order) for order in orders))

    finished = run(do())

    assert [one.result.attempt for one in finished] == [1, 1, 1]
    assert world.ends() == [("aws_gpu", 1, "done")] * 3
    assert {job.status for job in world.batch.jobs.values()} == {"SUCCEEDED"}
    assert len(world.batch.jobs) < len(orders)


def test_an_interrupted_file_goes_on_from_its_partial_on_another_machine(world):
    """The notice comes in mid-file; the worker keeps what it has and exits before EC2 acts."""
    order = world.order(times=40)

    async def do():
        async with world.engine() as engine:
            running = asyncio.create_task(engine.run(order))
            await until(lambda: world.batch.jobs)
            [job] = world.batch.jobs.values()
            await until(lambda: job.machine and job.machine.has_progress)
            world.batch.interrupt(job.id)
            return await running

    finished = run(do())

    assert [(one.attempt, one.end.status) for one in finished.attempts] == [
        (1, "stopped"),
        (2, "done"),
    ]
    assert finished.attempts[0].end.error_type == "cancelled"
    assert "partial-1.json" in names(order)
    assert 0 < finished.result.usage.audio_ms_resumed < order.size.speech_ms


def test_what_was_not_begun_when_the_host_died_is_done_by_the_same_job_on_the_next_one(world):
    """Without a notice: AWS Batch repeats the job, whose claimed file is left out."""
    orders = [world.order(times=12, job="one"), world.order(job="two")]

    async def do():
        async with world.engine() as engine:
            running = [asyncio.create_task(engine.run(order)) for order in orders]
            await until(lambda: any("claim-1.json" in names(order) for order in orders))
            [job] = world.batch.jobs.values()
            world.batch.interrupt(job.id, notice=False)
            return job, await asyncio.gather(*running)

    job, finished = run(do())

    assert job.attempts[0]["statusReason"].startswith("Host EC2 (instance i-")
    assert len(job.attempts) == 2
    assert sorted(one.result.attempt for one in finished) == [1, 2]
    assert sorted(status for _, _, status in world.ends()) == ["done", "done", "lost"]


def test_a_region_without_machines_loses_the_job_to_another_backend(world):
    world.batch.give_capacity(0)
    order = world.order()
    here = local.open_backends(world.settings)

    async def do():
        async with world.engine(*here, queue_seconds=900, times_as_fast=500) as engine:
            return await engine.run(order)

    finished = run(do())

    assert world.ends() == [("aws_gpu", 1, "buried"), ("local", 2, "done")]
    assert "no machine within" in finished.attempts[0].end.error
    [job] = world.batch.jobs.values()
    assert (job.status, job.cancelled) == ("FAILED", True)


def test_a_job_that_vanishes_is_done_by_another_one(world):
    order = world.order()
    world.batch.give_capacity(0)

    async def do():
        async with world.engine() as engine:
            running = asyncio.create_task(engine.run(order))
            await until(lambda: world.batch.jobs)
            world.batch.lose(next(iter(world.batch.jobs)))
            world.batch.give_capacity(2)
            return await running

    finished = run(do())

    assert [one.end.status for one in finished.attempts] == ["buried", "done"]


def test_two_orchestrators_pay_for_one_worker(world):
    order = world.order()

    async def do():
        async with world.engine() as one, world.engine() as two:
            return await asyncio.gather(one.run(order), two.run(order))

    one, two = run(do())

    assert one.result == two.result
    assert world.ends() == [("aws_gpu", 1, "done")]
    assert len(world.batch.jobs) == 1


def test_a_second_job_of_the_same_manifest_computes_nothing(world):
    """The answer is lost, and ListJobs does not know the job for longer than it is looked for."""
    order = world.order()
    world.batch.faults["submitjob"].append(LOST_ANSWER)
    world.batch.list_lag = 99

    async def do():
        async with world.engine() as engine:
            return await engine.run(order)

    finished = run(do())
    jobs = [world.batch.end_of(id_) for id_ in world.batch.jobs]

    assert len({job.name for job in jobs}) == 1
    assert len(jobs) == 2
    assert [one.end.status for one in finished.attempts] == ["done"]
    assert world.ends() == [("aws_gpu", 1, "done")]


def test_a_throttled_service_delays_jobs_and_loses_none(world):
    for operation in ("listjobs", "submitjob", "describejobs"):
        world.batch.faults[operation].extend([TOO_MANY, THROTTLED])
    orders = [world.order(job=name) for name in ("one", "two")]

    async def do():
        async with world.engine() as engine:
            return await asyncio.gather(*(engine.run(order) for order in orders))

    run(do())

    assert world.ends() == [("aws_gpu", 1, "done")] * 2
