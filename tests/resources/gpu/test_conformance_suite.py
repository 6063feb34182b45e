"""The suite of conformance itself: a backend that does its work passes it, wrong ones fail."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count

import pytest

from escriba.backend_names import LOCAL
from escriba.billing.measured_speeds import planned_speed
from escriba.billing.quotes import Capabilities, Health, machine_quote
from gpu_job import transfer
from resources.gpu.backend import AttemptReport
from resources.gpu.job_folder import Submission

from .conformance import CHECKS, Place
from .conftest import FakeWorker

WAIT_SECONDS = 2  # for what never comes
ENDS = "each_job_ends_with_its_own_result_and_a_report"
PROGRESS = "progress_grows_within_the_recording"
CANCEL = "a_cancelled_attempt_ends_with_no_result_and_an_unknown_one_is_no_error"
CLOSE = "its_end_takes_everything_along_and_may_come_twice"


class GoodBackend:
    """Does its jobs in this process."""

    name, sku, look_seconds = LOCAL, "this-machine", 15.0
    capabilities = Capabilities(paid=False, third_party=False, is_here=True)
    progress = (4_000, 8_000)

    def __init__(self):
        self.at_work, self._numbers = {}, count(1)

    def speed(self, job):
        return planned_speed(self.name, job)

    def quote(self, job, price, speed):
        return machine_quote(job, price, speed)

    async def health(self):
        return Health("well")

    @asynccontextmanager
    async def slot(self):
        yield

    async def submit(self, request, quote, progress):
        id_ = str(next(self._numbers))
        self.at_work[id_] = asyncio.ensure_future(self._work(request, progress))
        return Submission(provider_id=id_)

    async def _work(self, request, progress):
        if request.options.hotwords:
            await asyncio.Event().wait()
        for done_ms in self.progress:
            progress(done_ms)
        self._write(request)

    def _write(self, request):
        FakeWorker(request).write_result()

    async def poll(self, submission, wait_seconds):
        task = self.at_work.get(submission.provider_id) if submission else None
        if task is None:
            return None
        over, _ = await asyncio.wait({task}, timeout=min(wait_seconds, 0.1))
        return AttemptReport("ended") if over else None

    async def cancel(self, submission):
        if submission.provider_id in self.at_work:
            self.at_work[submission.provider_id].cancel()

    def console_url(self, submission):
        return ""

    async def close(self):
        for task in self.at_work.values():
            task.cancel()
        await asyncio.gather(*self.at_work.values(), return_exceptions=True)


class DoesNothing(GoodBackend):
    async def submit(self, request, quote, progress):
        return Submission(provider_id="nothing")

    async def poll(self, submission, wait_seconds):
        return AttemptReport("ended")


class DoesNothingAndKnowsItsJobs(DoesNothing):
    async def poll(self, submission, wait_seconds):
        is_ours = submission is not None and submission.provider_id == "nothing"
        return AttemptReport("ended") if is_ours else None


class TellsNoProgress(GoodBackend):
    progress = ()


class TellsNoProgressButZero(GoodBackend):
    progress = (0, 0)


class GoesBack(GoodBackend):
    progress = (8_000, 4_000)


class TellsOfMoreThanThereIs(GoodBackend):
    progress = (4_000, 80_000)


class TellsOfTheWholeAtOnce(GoodBackend):
    async def submit(self, request, quote, progress):
        progress(request.speech_ms)
        return await super().submit(request, quote, progress)


class NeverCancels(GoodBackend):
    async def cancel(self, submission):
        pass


class SaysThatItCancels(GoodBackend):
    """It does not stop the job, which continues to cost money."""

    def __init__(self):
        super().__init__()
        self._cancelled = set()

    async def cancel(self, submission):
        self._cancelled.add(submission.provider_id)

    async def poll(self, submission, wait_seconds):
        if submission is not None and submission.provider_id in self._cancelled:
            return AttemptReport("ended")
        return await super().poll(submission, wait_seconds)


class NeverCloses(GoodBackend):
    async def close(self):
        pass


class ReturnsTheFirstJobsResult(GoodBackend):
    first = None

    def _write(self, request):
        self.first = self.first or request
        other = request.model_copy(update={"job": self.first.job, "attempt": self.first.attempt})
        FakeWorker(other).write_result()


class ReturnsAnotherAttemptsResult(GoodBackend):
    def _write(self, request):
        FakeWorker(request.model_copy(update={"attempt": 9})).write_result()


class SwapsPlaces(GoodBackend):
    """Of two jobs, each result lies where the other's belongs."""

    def __init__(self):
        super().__init__()
        self._before = None

    def _write(self, request):
        before, self._before = self._before, request
        if before is not None:
            body = transfer.read(before.addresses.result_read)
            transfer.put(request.addresses.result_create, body)
        else:
            FakeWorker(request).write_result()


@pytest.fixture
def failed(jobs):
    """The names of the checks that a backend fails."""

    def find(kind):
        number = count(1)
        return {check.__name__ for check in CHECKS if not holds(check, kind, number)}

    def holds(check, kind, number):
        opened = []

        def open_(*, unreachable=False):
            opened.append(kind())
            return opened[-1]

        request, result = jobs
        of_this_check = next(number) * 100

        def is_at_work(submission):
            tasks = [one.at_work.get(submission.provider_id) for one in opened]
            return any(task is not None and not task.done() for task in tasks)

        def new_request(job=1, **options):
            return request(of_this_check + job, **options)

        seen = (new_request, result, is_at_work, WAIT_SECONDS)
        place = Place(LOCAL, open_, False, *seen)  # noqa: FBT003
        try:
            asyncio.run(check(place))
        except (AssertionError, TimeoutError, pytest.fail.Exception):
            return False
        return True

    return find


def test_a_backend_that_does_its_work_passes(failed):
    assert failed(GoodBackend) == set()


@pytest.mark.parametrize(
    ("kind", "by"),
    [
        (DoesNothing, {ENDS, PROGRESS, "a_job_that_nobody_knows_and_no_job_are_no_news"}),
        (DoesNothingAndKnowsItsJobs, {ENDS, PROGRESS}),
        (TellsNoProgress, {PROGRESS}),
        (TellsNoProgressButZero, {PROGRESS}),
        (GoesBack, {PROGRESS}),
        (TellsOfMoreThanThereIs, {PROGRESS}),
        (TellsOfTheWholeAtOnce, {PROGRESS, CANCEL}),
        (NeverCancels, {CANCEL}),
        (SaysThatItCancels, {CANCEL}),
        (NeverCloses, {CLOSE}),
        (ReturnsTheFirstJobsResult, {ENDS}),
        (ReturnsAnotherAttemptsResult, {ENDS}),
        (SwapsPlaces, {ENDS}),
    ],
)
def test_a_backend_that_is_wrong_fails_by_the_checks_of_what_it_does_wrong(failed, kind, by):
    assert failed(kind) == by
