"""What holds for every backend: checks that take a place where one runs, and raise where it fails.

`test_backends_conform.py` runs them on all backends that there are; `test_conformance_suite.py`
on backends that are wrong on purpose.
"""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from escriba.billing.price_book import read_price_book
from escriba.billing.quotes import Health, JobSize, Speed
from escriba.settings import load_settings
from gpu_job.contract import JobRequest, JobResult
from resources.gpu.backend import AttemptReport, Backend
from resources.gpu.job_folder import Submission

SECRET = "conformance-SECRET"
AUDIO_MS = 8_700
SIZE = JobSize(AUDIO_MS, 8_000, 300_000, "demo", "en", diarized=False)
LONG = JobSize(3_600_000, 3_000_000, 1, "demo", None, diarized=True)
QUICK = Speed(rtf=0.1, start_seconds=1.0, basis="for a test")
SOMEBODY_ELSES = Submission(provider_id="somebody-elses")


@dataclass(frozen=True)
class Place:
    """Where a backend runs, and what can be seen of its jobs from outside.

    open: the backend; `unreachable` opens one whose provider nobody can reach, where it has one.
    request: a job of its number; with hotwords, an endless one. result: what lies in the bucket
    where the job's result belongs. is_at_work: whether what a job was submitted to can go on with
    it, once it was cancelled or the backend was closed.
    """

    name: str
    open: Callable[..., Backend]
    has_provider: bool
    request: Callable[..., JobRequest]
    result: Callable[[JobRequest], JobResult | None]
    is_at_work: Callable[[Submission], bool]
    wait_seconds: float


def priced(backend):
    """Makes quotes at the backend's price in the book."""
    settings = load_settings()
    book = read_price_book(settings.price_book, settings.exchange_rates)
    price = book.at(backend.name, backend.sku, datetime.now(UTC))
    return lambda size=SIZE, speed=QUICK: backend.quote(size, price, speed)


@asynccontextmanager
async def opened(place, **changes):
    """The backend, which is closed at the end."""
    backend = place.open(**changes)
    try:
        yield backend
    finally:
        await backend.close()


async def end_of(place, backend, submission):
    """The report, once there is one."""
    async with asyncio.timeout(place.wait_seconds):
        while (report := await backend.poll(submission, 1.0)) is None:
            pass
    return report


async def done(place, backend, request):
    """The submission of a job that is over, its report, and the progress that was told."""
    told = []
    async with backend.slot():
        submission = await backend.submit(request, priced(backend)(), told.append)
        return submission, await end_of(place, backend, submission), told


async def it_has_a_name_a_price_and_limits(place):
    async with opened(place) as backend:
        assert backend.name == place.name
        assert priced(backend)().backend == backend.name
        assert 0 < backend.look_seconds <= 300
        assert isinstance(backend.capabilities.regions, frozenset)


async def its_quotes_grow_with_the_recording_and_start_with_what_is_planned(place):
    async with opened(place) as backend:
        planned = [priced(backend)(size, backend.speed(size)) for size in (SIZE, LONG)]

        for short_or_long in planned:
            assert (short_or_long.backend, short_or_long.sku) == (backend.name, backend.sku)
            assert 0 < short_or_long.run_seconds <= short_or_long.latency_seconds
            assert short_or_long.cost_usd > 0
            assert short_or_long.basis
        assert planned[0].cost_usd < planned[1].cost_usd


async def its_health_is_a_verdict_and_never_an_error(place):
    async with opened(place) as backend:
        assert {(await backend.health()).state for _ in range(3)} == {"well"}
    async with opened(place, unreachable=True) as backend:
        for _ in range(3):
            found = await backend.health()
            assert isinstance(found, Health)
            assert SECRET not in found.reason
            assert found.state == ("down" if place.has_provider else "well")


async def each_job_ends_with_its_own_result_and_a_report(place):
    async with opened(place) as backend:
        for request in (place.request(1), place.request(2)):
            assert place.result(request) is None
            _, report, _ = await done(place, backend, request)

            assert isinstance(report, AttemptReport)
            assert report.status
            assert report.error == ""
            found = place.result(request)
            assert found is not None, "it is over, and its result is not in the bucket"
            assert (found.job, found.attempt) == (request.job, request.attempt)
            assert found.segments or found.turns
        async with asyncio.timeout(place.wait_seconds), backend.slot():  # is free again
            pass


async def progress_grows_within_the_recording(place):
    async with opened(place) as backend:
        _, _, told = await done(place, backend, place.request())

    assert told, "nothing was told"
    assert told == sorted(told)
    assert all(0 <= done_ms <= AUDIO_MS for done_ms in told)
    assert told[-1] > 0


async def what_is_kept_of_a_job_has_no_secret(place):
    async with opened(place) as backend:
        submission, _, _ = await done(place, backend, place.request())
        url = backend.console_url(submission)

    assert Submission.model_validate_json(submission.model_dump_json()) == submission
    assert url == "" or url.startswith("https://")
    assert SECRET not in url + submission.model_dump_json()


async def a_room_is_free_again_after_a_failure(place):
    async with opened(place) as backend, asyncio.timeout(place.wait_seconds):
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                async with backend.slot():
                    raise ZeroDivisionError


async def a_job_that_nobody_knows_and_no_job_are_no_news(place):
    async with opened(place) as backend:
        news = [await backend.poll(submission, 0.01) for submission in (SOMEBODY_ELSES, None)]

    assert news == [None, None]


async def a_cancelled_attempt_ends_with_no_result_and_an_unknown_one_is_no_error(place):
    async with opened(place) as backend:
        await backend.cancel(SOMEBODY_ELSES)
        async with backend.slot():
            request, told = place.request(hotwords="endless"), []
            submission = await backend.submit(request, priced(backend)(), told.append)
            await backend.cancel(submission)
            report = await end_of(place, backend, submission)

        assert isinstance(report, AttemptReport)
        assert not place.is_at_work(submission)
        assert place.result(request) is None
        assert all(done_ms < request.speech_ms for done_ms in told), "it was never done"


async def its_end_takes_everything_along_and_may_come_twice(place):
    backend, begun = place.open(), asyncio.Event()
    submissions = []

    async def attempt():
        async with backend.slot():
            request = place.request(hotwords="endless")
            submissions.append(await backend.submit(request, priced(backend)(), lambda _: None))
            begun.set()
            await end_of(place, backend, submissions[0])

    task = asyncio.ensure_future(attempt())
    begins = asyncio.ensure_future(begun.wait())
    await asyncio.wait({task, begins}, return_when="FIRST_COMPLETED")
    task.cancel()
    begins.cancel()
    await asyncio.gather(task, begins, return_exceptions=True)
    await backend.close()
    await backend.close()

    assert [await _is_left_at_work(place, one) for one in submissions] == [False]


async def _is_left_at_work(place, submission):
    """A provider that is asked to stop a machine takes a moment."""
    for _ in range(100):
        if not place.is_at_work(submission):
            return False
        await asyncio.sleep(0.1)
    return True


async def one_that_was_never_used_has_an_end_too(place):
    await place.open().close()


CHECKS = (
    it_has_a_name_a_price_and_limits,
    its_quotes_grow_with_the_recording_and_start_with_what_is_planned,
    its_health_is_a_verdict_and_never_an_error,
    each_job_ends_with_its_own_result_and_a_report,
    progress_grows_within_the_recording,
    what_is_kept_of_a_job_has_no_secret,
    a_room_is_free_again_after_a_failure,
    a_job_that_nobody_knows_and_no_job_are_no_news,
    a_cancelled_attempt_ends_with_no_result_and_an_unknown_one_is_no_error,
    its_end_takes_everything_along_and_may_come_twice,
    one_that_was_never_used_has_an_end_too,
)
