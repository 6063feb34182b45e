"""The local backend's hold on its workers, with workers that are no processes."""

import asyncio

import pytest

from escriba.billing.quotes import size_of
from escriba.errors import BackendUnavailableError, RecordingError
from escriba.settings import load_settings
from gpu_job.contract import JobOptions
from gpu_job.contract.process_identity import here
from resources.gpu.backend import AttemptReport, slot_for
from resources.gpu.backends import local
from resources.gpu.backends.local import LocalBackend
from resources.gpu.job_folder import Submission


class FakeLocalWorker:
    """Takes a while to start, and ends a job when a test says so."""

    started = 0

    alive = most_alive = 0

    def __init__(self, model):
        self.model = model
        type(self).started += 1
        type(self).alive += 1
        type(self).most_alive = max(self.most_alive, self.alive)
        self.place = here().model_copy(update={"pid": -self.started})
        self.is_alive, self.job, self.ended = True, None, False

    @classmethod
    async def start(cls, python, environment):
        for _ in range(10):
            await asyncio.sleep(0)
        if environment["MODEL"] == "no-such":
            raise BackendUnavailableError("The local worker could not start: no such model.")
        return cls(environment["MODEL"])

    @property
    def is_busy(self):
        return self.job is not None and not self.job.ended.is_set()

    async def give(self, request, job):
        assert not self.is_busy
        self.job = job

    async def end(self):
        self.ended = True
        type(self).alive -= 1

    async def kill(self):
        self.is_alive = False


class Request:
    """As much of one as the backend looks at."""

    def __init__(self, job, model="demo"):
        self.job, self.attempt = job, 1
        self.options = JobOptions(model=model)


@pytest.fixture
def backend(monkeypatch):
    monkeypatch.setattr(local, "LocalWorker", FakeLocalWorker)
    monkeypatch.setattr(local, "unpack_demo_models", lambda folder: folder)
    FakeLocalWorker.started = FakeLocalWorker.alive = FakeLocalWorker.most_alive = 0
    return lambda workers: LocalBackend(load_settings(local_workers=workers))


async def work(backend, name, *, wait=True, model="demo"):
    """A job as the engine does it: room, an attempt begun, submitted, followed to its end."""
    async with backend.slot():
        await asyncio.sleep(0)
        submission = await backend.submit(Request(name, model), None, None)
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


def test_who_is_cancelled_is_killed_and_nobody_else(backend):
    async def go():
        here = backend(2)
        async with here.slot():
            submission = await here.submit(Request("endless"), None, None)
        await work(here, "other")
        await here.cancel(submission)
        return [worker.is_alive for worker in here._workers]

    assert asyncio.run(go()) == [False, True]


def test_a_worker_that_could_not_start_is_not_tried_again_for_each_job(backend, monkeypatch):
    tries = []

    async def breaks(_python, _environment):
        tries.append(1)
        raise BackendUnavailableError("no such model")

    monkeypatch.setattr(FakeLocalWorker, "start", breaks)

    async def go():
        here = backend(1)
        for _ in range(3):
            with pytest.raises(BackendUnavailableError, match="no such model"):
                await work(here, "job")

    asyncio.run(go())
    assert len(tries) == 1


def test_an_attempt_of_another_process_is_over_when_its_worker_is_dead(backend, dead):
    async def go():
        us = backend(1)
        places = (dead, here(), None)
        others = [Submission(provider_id="theirs", place=place) for place in places]
        return [await us.poll(submission, 0) for submission in (*others, None)]

    assert asyncio.run(go()) == [AttemptReport("dead"), None, None, None]


def test_jobs_of_several_models_are_done_with_one_in_memory_at_a_time(backend):
    async def go():
        here = backend(1)
        wished = ("demo", "small", "small", "demo", "base")
        done = [await work(here, f"job-{n}", model=model) for n, model in enumerate(wished)]
        await here.close()
        return wished, [worker.model for worker in done]

    wished, models = asyncio.run(go())

    assert tuple(models) == wished
    assert (FakeLocalWorker.most_alive, FakeLocalWorker.started) == (1, 4)


SPEAKERS = JobOptions(model="", task="diarize")


async def find_speakers(backend, name):
    """As `work`, for a job without words."""
    size = size_of(SPEAKERS, audio_ms=1, speech_ms=1, audio_bytes=1, channels=1)
    async with slot_for(backend, size):
        request = Request(name)
        request.options = SPEAKERS
        submission = await backend.submit(request, None, None)
        worker = backend._jobs[submission.provider_id][0]
        worker.job.ended.set()
        assert await backend.poll(submission, 1)
    return worker


def test_a_worker_that_starts_for_speakers_alone_loads_no_speech_model(backend):
    async def go():
        here = backend(1)
        return [await find_speakers(here, "a"), await find_speakers(here, "b")]

    first, second = asyncio.run(go())

    assert (first.model, first is second) == ("none", True)


def test_a_worker_with_a_speech_model_finds_speakers_too(backend):
    async def go():
        here = backend(1)
        return await work(here, "words"), await find_speakers(here, "speakers")

    first, second = asyncio.run(go())

    assert first is second


def test_a_worker_without_a_speech_model_makes_room_for_one_that_has_it(backend):
    async def go():
        here = backend(1)
        return await find_speakers(here, "speakers"), await work(here, "words")

    first, second = asyncio.run(go())

    assert (first.model, first.ended, second.model) == ("none", True, "demo")
    assert FakeLocalWorker.most_alive == 1


def test_a_model_that_cannot_be_had_fails_its_own_recording_alone(backend):
    async def go():
        here = backend(1)
        with pytest.raises(RecordingError) as caught:
            await work(here, "wrong", model="no-such")
        assert (caught.value.code, caught.value.permanent) == ("model_missing", False)
        assert (await here.health()).state == "well"
        return await work(here, "right")

    assert asyncio.run(go()).model == "demo"
