"""The local backend's hold on its workers, with workers that are no processes."""

import asyncio

import pytest

from gpu_job.place import here
from pipelines.settings import load_settings
from resources.gpu import local
from resources.gpu.local import LocalBackend


class FakeLocalWorker:
    """Takes a while to start, and ends a job when a test says so."""

    started = 0

    def __init__(self):
        self.place, self.is_alive, self.job, self.ended = here(), True, None, False
        type(self).started += 1

    @classmethod
    async def start(cls, environment):
        for _ in range(10):
            await asyncio.sleep(0)
        return cls()

    @property
    def is_busy(self):
        return self.job is not None and not self.job.ended.is_set()

    async def give(self, request, job):
        assert not self.is_busy
        self.job = job

    async def end(self):
        self.ended = True


class Request:
    """As much of one as the backend looks at."""

    def __init__(self, job):
        self.job, self.attempt = job, 1


@pytest.fixture
def backend(monkeypatch):
    monkeypatch.setattr(local, "LocalWorker", FakeLocalWorker)
    monkeypatch.setattr(local, "unpack_demo_models", lambda folder: folder)
    FakeLocalWorker.started = 0
    return lambda workers: LocalBackend(load_settings(local_workers=workers))


async def work(backend, name, *, wait=True):
    """A job as the engine does it: room, an attempt begun, submitted, followed to its end."""
    async with backend.room():
        await asyncio.sleep(0)
        submission = await backend.submit(Request(name), None)
        worker = backend._jobs[submission.provider_id][0]
        if wait:
            worker.job.ended.set()
            assert await backend.poll(submission, 1)
    return worker


def test_one_worker_does_one_job_after_another(backend):
    async def go():
        here = backend(1)
        return await asyncio.gather(*(work(here, f"job-{n}") for n in range(5)))

    assert len(set(asyncio.run(go()))) == FakeLocalWorker.started == 1


def test_two_jobs_at_once_have_a_worker_each_when_only_one_was_needed_before(backend):
    async def go():
        here = backend(2)
        await work(here, "alone")
        await asyncio.gather(*(work(here, f"job-{n}") for n in range(6)))
        return here._workers

    assert len(asyncio.run(go())) == FakeLocalWorker.started == 2


def test_a_worker_is_used_again_though_nobody_waited_for_its_end(backend):
    async def go():
        here = backend(1)
        left = await work(here, "left alone", wait=False)
        left.job.ended.set()
        return left, await work(here, "next")

    left, used = asyncio.run(go())
    assert left is used


def test_a_worker_that_is_still_busy_gets_no_second_job(backend):
    async def go():
        here = backend(1)
        busy = await work(here, "left alone", wait=False)
        other = await work(here, "next")
        await here.close()
        return busy, other

    busy, other = asyncio.run(go())
    assert busy is not other
    assert busy.ended
    assert other.ended


def test_a_dead_worker_is_replaced(backend):
    async def go():
        here = backend(1)
        first = await work(here, "first")
        first.is_alive = False
        return first, await work(here, "second")

    first, second = asyncio.run(go())
    assert first is not second
