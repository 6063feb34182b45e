"""What holds for every backend that there is, on the real thing or a server of its own."""

import asyncio
import shutil
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from gpu_job.audio import sha256_of
from gpu_job.contract import JobAddresses, JobLimits, JobOptions, JobRequest, SpeechRegion
from pipelines.billing.prices import read_price_book
from pipelines.billing.quotes import Health, JobSize, Speed
from pipelines.settings import load_settings
from resources.gpu import registry
from resources.gpu.backends import runpod as runpod_module
from resources.gpu.base import Report
from resources.gpu.job_folder import Submission
from resources.gpu.runpod.backend import RunPodBackend
from resources.gpu.runpod.client import Time
from resources.storage import open_storage
from tests.fake_runpod import FakeRunPod

SECRET = "conformance-SECRET"
TIMES_AS_FAST = 50
WAIT_SECONDS = 120  # for machines that have a lot else to do
SIZE = JobSize(8_700, 8_000, 300_000, "demo", "en", diarized=False)
QUICK = Speed(rtf=0.1, start_seconds=1.0, basis="for a test")


@contextmanager
def this_machine(_monkeypatch):
    yield {"diarizer": "none"}


@contextmanager
def endpoint(monkeypatch):
    """An endpoint with a worker that computes nothing; its time goes faster than ours."""

    def do(input_, tell):
        if input_["options"]["hotwords"]:  # an endless job
            runpod.released.wait(WAIT_SECONDS)
        tell({"audio_seconds_done": 4.0, "audio_seconds": 8.0})
        return {"output": {"state": "done"}}

    async def sleep(seconds):
        await asyncio.sleep(seconds / TIMES_AS_FAST)

    quick = Time(lambda: time.monotonic() * TIMES_AS_FAST, sleep)
    monkeypatch.setattr(runpod_module, "RunPodBackend", partial(RunPodBackend, time_=quick))
    with FakeRunPod(SECRET) as runpod:
        runpod.work(do)
        yield runpod.settings


PLACES = {"local": this_machine, "runpod": endpoint}
NAMES = registry.backend_names()


@pytest.fixture(params=NAMES)
def place(request, monkeypatch):
    """The name of a backend, and the settings that set it up."""
    with PLACES[request.param](monkeypatch) as settings:
        yield request.param, settings


@pytest.fixture
def opened(place):
    """Opens the backends of a place; there is one."""
    name, settings = place

    def make(**changes):
        (backend,) = registry._module(name).open_backends(load_settings(**(settings | changes)))
        return backend

    return make


@pytest.fixture
def new_request(tmp_path, clips):
    """A job on a real recording in a folder."""
    storage = open_storage(load_settings(storage_url=(tmp_path / "bucket").as_uri()))
    sha256 = sha256_of(clips.english)
    storage.upload("audio.wav", Path(shutil.copy(clips.english, tmp_path)))

    def address(name, permission):
        return storage.address(name, permission, timedelta(hours=1))

    def make(attempt=1, **options):
        claim = f"claim-{attempt}.json"
        return JobRequest(
            job="a" * 64,
            attempt=attempt,
            nonce=f"nonce-{attempt}",
            options=JobOptions(model="demo", diarizer="none", **options),
            regions=(SpeechRegion(start_ms=0, end_ms=8_000),),
            audio_ms=8_700,
            audio_sha256=sha256,
            model_revision="demo@1",
            addresses=JobAddresses(
                audio=address("audio.wav", "read"),
                result_read=address("result.json", "read"),
                result_create=address("result.json", "create"),
                claim_read=address(claim, "read"),
                claim_create=address(claim, "create"),
                claim_beat=address(claim, "write"),
            ),
            limits=JobLimits(queue_seconds=600, run_seconds=600),
        )

    return make


def priced(backend):
    book = read_price_book(load_settings().price_book)
    price = book.at(backend.name, backend.sku, datetime.now(UTC))
    return lambda size=SIZE, speed=QUICK: backend.quote(size, price, speed)


async def end_of(backend, submission):
    async with asyncio.timeout(WAIT_SECONDS):
        while (report := await backend.poll(submission, 1.0)) is None:
            pass
    return report


def test_every_backend_that_there_is_conforms():
    assert sorted(PLACES) == NAMES


def test_nothing_is_open_that_is_not_set_up():
    opened = {name: registry._module(name).open_backends(load_settings()) for name in NAMES}

    assert [name for name, backends in opened.items() if backends] == ["local"]
    assert all(registry._module(name).NEEDS for name in NAMES)


def test_its_name_is_known_its_price_is_in_the_book_and_its_limits_are_said(place, opened):
    backend = opened()

    assert backend.name == place[0]
    assert priced(backend)().backend == backend.name
    assert 0 < backend.look_seconds <= 300
    assert isinstance(backend.capabilities.regions, frozenset)


def test_its_quotes_grow_with_the_recording_and_start_with_what_is_planned(opened):
    backend = opened()
    quote = priced(backend)
    planned = [
        quote(size, backend.speed(size))
        for size in (SIZE, JobSize(3_600_000, 3_000_000, 1, "demo", None, diarized=True))
    ]

    for short_or_long in planned:
        assert (short_or_long.backend, short_or_long.sku) == (backend.name, backend.sku)
        assert 0 < short_or_long.run_seconds <= short_or_long.latency_seconds
        assert short_or_long.cost_usd > 0
        assert short_or_long.basis
    assert planned[0].cost_usd < planned[1].cost_usd


def test_its_health_is_a_verdict_and_never_an_error(place, opened, monkeypatch):
    async def go(backend):
        try:
            return [await backend.health() for _ in range(3)]
        finally:
            await backend.close()

    well = asyncio.run(go(opened()))
    assert {found.state for found in well} == {"well"}
    name, settings = place
    nowhere = {key: "http://127.0.0.1:9" for key in settings if key.endswith("_url")}
    for found in asyncio.run(go(opened(**nowhere))):
        assert isinstance(found, Health)
        assert SECRET not in found.reason
        assert found.state == ("down" if nowhere else "well"), name


def test_a_job_is_done_in_its_room_with_progress_and_a_report(opened, new_request):
    async def go():
        backend, told = opened(), []
        try:
            async with backend.room():
                submission = await backend.submit(new_request(), priced(backend)(), told.append)
                report = await end_of(backend, submission)
            async with asyncio.timeout(WAIT_SECONDS), backend.room():  # is free again
                return submission, report, told, backend.console_url(submission)
        finally:
            await backend.close()

    submission, report, told, url = asyncio.run(go())

    assert isinstance(report, Report)
    assert report.status
    assert report.error == ""
    assert told == sorted(told)
    assert all(0 <= done_ms <= 8_700 for done_ms in told)
    assert Submission.model_validate_json(submission.model_dump_json()) == submission
    assert url == "" or url.startswith("https://")
    assert SECRET not in url + submission.model_dump_json()


def test_a_room_is_free_again_after_a_failure(opened):
    async def go():
        backend = opened()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                for _ in range(3):
                    with pytest.raises(ZeroDivisionError):
                        async with backend.room():
                            raise ZeroDivisionError
        finally:
            await backend.close()

    asyncio.run(go())


def test_a_job_that_nobody_knows_and_no_job_are_no_news(opened):
    async def go():
        backend = opened()
        unknown = Submission(provider_id="somebody-elses")
        try:
            return [await backend.poll(submission, 0.01) for submission in (unknown, None)]
        finally:
            await backend.close()

    assert asyncio.run(go()) == [None, None]


def test_a_cancelled_attempt_ends_and_an_unknown_one_is_no_error(opened, new_request):
    async def go():
        backend = opened()
        try:
            await backend.cancel(Submission(provider_id="somebody-elses"))
            async with backend.room():
                request = new_request(hotwords="endless")
                submission = await backend.submit(request, priced(backend)(), lambda _: None)
                await backend.cancel(submission)
                return await end_of(backend, submission)
        finally:
            await backend.close()

    assert isinstance(asyncio.run(go()), Report)


def test_its_end_takes_everything_along_and_may_come_twice(opened, new_request):
    async def go():
        backend = opened()
        begun = asyncio.Event()

        async def attempt():
            async with backend.room():
                request = new_request(hotwords="endless")
                submission = await backend.submit(request, priced(backend)(), lambda _: None)
                begun.set()
                await end_of(backend, submission)

        task = asyncio.ensure_future(attempt())
        await asyncio.wait(
            {task, asyncio.ensure_future(begun.wait())}, return_when="FIRST_COMPLETED"
        )
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await backend.close()
        await backend.close()

    asyncio.run(go())


def test_one_that_was_never_used_has_an_end_too(opened):
    asyncio.run(opened().close())
