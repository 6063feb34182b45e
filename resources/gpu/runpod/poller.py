"""One task that looks at all jobs of an endpoint, each when there may be news of it."""

import asyncio
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from pipelines.billing.quotes import Quote
from resources.gpu.base import Progress, Report

from .answers import RefusedError, TroubleError
from .client import STATUSES, STATUSES_AT_ONCE, Time
from .jobs import Job, Queue, Sight, sight_of
from .outlook import (
    CLOSEST_SECONDS,
    FARTHEST_SECONDS,
    Experience,
    Outlook,
    until_start,
)
from .pace import Pace, backoff_seconds

UNBELIEVED_SECONDS = 30.0  # a job that was submitted just now may be unknown for a while
LEFT_SECONDS = 300.0  # nobody asked about it for so long: nobody will
_NO_LONGER_SECONDS = 300.0  # of a Retry-After
_UNKNOWN_SECONDS = 120.0  # the run of another process's job, of which there is no quote here
_TOLD_AT_FAILURES = 3  # in a row: a single one is nothing to tell of

logger = logging.getLogger(__name__)


class Poller:
    """Starts with the first job. `look`: asks for a job's status, once."""

    def __init__(
        self, look: Callable[[str], Awaitable[dict[str, Any]]], secret: str, time_: Time
    ) -> None:
        self._look, self._secret, self._time = look, secret, time_
        self._pace = Pace(STATUSES, STATUSES_AT_ONCE, time_.clock, time_.sleep)
        self._places = asyncio.Semaphore(STATUSES_AT_ONCE)
        self._jobs: dict[str, Job] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._turns, self._numbers = itertools.count(1), itertools.count(1)
        self._queue, self._experience = Queue(), Experience()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._looks: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._warned: set[str] = set()

    def __len__(self) -> int:
        return len(self._jobs)

    def phase(self, id_: str) -> str:
        """What is known of a job: waits, runs, ended or unknown."""
        job = self._jobs.get(id_)
        return job.phase if job else "unknown"

    def follow(self, id_: str, quote: Quote, progress: Progress) -> None:
        """A job that was submitted just now."""
        now, run_seconds = self._time.clock(), quote.run_seconds * self._experience.ratio
        start_seconds = max(quote.latency_seconds - quote.run_seconds, 0.0)
        job = Job(
            id_,
            next(self._numbers),
            now,
            Outlook(now, run_seconds, start_seconds),
            ours=True,
            quoted_seconds=quote.run_seconds,
            progress=progress,
            left_at=now,
        )
        self._jobs[id_] = job
        self._queue.add(job.number)
        self._schedule(job, job.outlook.first_look_seconds(start_seconds))

    async def news(self, id_: str, wait_seconds: float) -> Report | None:
        """How a job ended, once that is known; None when so many seconds have passed before.

        A job that nobody knows here, another process's, is looked at at once.
        """
        job = self._jobs.get(id_) or self._attach(id_)
        job.followed += 1
        try:
            if job.told:  # whoever asks in a loop gets no busy one
                await self._time.sleep(min(wait_seconds, 1.0))
            await asyncio.wait_for(job.ended.wait(), wait_seconds)
        except TimeoutError:
            return None
        except asyncio.CancelledError:
            if job.followed == 1 and not job.ours:
                self.leave(id_)
            raise
        finally:
            job.followed -= 1
            job.left_at = self._time.clock()
        job.told = True
        return job.report

    def hurry(self, id_: str) -> None:
        """There will be news of it soon."""
        job = self._jobs.get(id_)
        if job is not None and job.report is None:
            self._schedule(job, CLOSEST_SECONDS)

    def leave(self, id_: str) -> None:
        """Nobody wants to know any more."""
        job = self._jobs.pop(id_, None)
        if job is not None:
            self._queue.remove(job.number)
            if job.ours and job.report is None:  # its result was seen in the bucket first
                self._experience.ended(self._time.clock(), 0.0, None)

    async def close(self) -> None:
        """No more looks."""
        tasks = [task for task in (self._task, *self._looks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None

    def _attach(self, id_: str) -> Job:
        now = self._time.clock()
        job = Job(id_, next(self._numbers), now, Outlook(now, 0.0, 0.0))
        self._jobs[id_] = job
        self._schedule(job, 0.0)
        return job

    def _schedule(self, job: Job, seconds: float) -> None:
        job.turn = next(self._turns)
        heapq.heappush(self._heap, (self._time.clock() + seconds, job.turn, job.id))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="runpod-poller")
        if self._heap[0][1] == job.turn:
            self._news.set()

    async def _run(self) -> None:
        """Takes one job after the other from the heap, each at its time and at the common pace."""
        while True:
            job = await self._next_due()
            while self._failures and self._looks:  # one tries whether it is over
                await asyncio.wait(self._looks, return_when=asyncio.FIRST_COMPLETED)
            await self._places.acquire()
            await self._pace.wait()
            look = asyncio.create_task(self._look_at(job))
            self._looks.add(look)
            look.add_done_callback(partial(self._looked, job))

    def _looked(self, job: Job, look: asyncio.Task[None]) -> None:
        """Whatever went wrong with a look, there is another one."""
        self._places.release()
        self._looks.discard(look)
        if not look.cancelled() and (error := look.exception()):
            logger.error("A look at a job on RunPod went wrong: %s", type(error).__name__)
            self._again(job, FARTHEST_SECONDS)

    async def _next_due(self) -> Job:
        while True:
            self._news.clear()
            while self._heap and not self._is_current(self._heap[0]):
                heapq.heappop(self._heap)
            wait = self._heap[0][0] - self._time.clock() if self._heap else None
            if wait is None or wait > 0:
                await self._sleep_or_news(wait)
                continue
            _, _, id_ = heapq.heappop(self._heap)
            job = self._jobs[id_]
            if job.followed or self._time.clock() - job.left_at < LEFT_SECONDS:
                if job.report is None:
                    return job
                self._schedule(job, LEFT_SECONDS)  # kept a while for who asks again
            else:
                self.leave(id_)

    def _is_current(self, entry: tuple[float, int, str]) -> bool:
        job = self._jobs.get(entry[2])
        return job is not None and job.turn == entry[1]

    async def _sleep_or_news(self, seconds: float | None) -> None:
        news = asyncio.ensure_future(self._news.wait())
        waits: set[asyncio.Future[Any]] = {news}
        if seconds is not None:
            waits.add(asyncio.ensure_future(self._time.sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _look_at(self, job: Job) -> None:
        if self._jobs.get(job.id) is not job:
            return  # left while it waited for its turn
        try:
            told = await self._look(job.id)
        except TroubleError as trouble:
            self._trouble(job, trouble.what, trouble.retry_after_seconds)
        except RefusedError as refused:
            if refused.is_unknown:
                self._failures = 0
                self._unknown(job)
            else:
                self._trouble(job, str(refused), None)
        else:
            self._failures = 0
            if job.report is None:
                self._see(job, sight_of(told, self._secret))

    def _trouble(self, job: Job, what: str, retry_after_seconds: float | None) -> None:
        """No news of anything: all looks wait, longer each time; those under way count once."""
        if not self._pace.is_paused:
            self._failures += 1
            wait = backoff_seconds(self._failures, self._time.jitter)
            if retry_after_seconds is not None:
                wait += min(retry_after_seconds, _NO_LONGER_SECONDS)
            self._pace.pause(wait)
            if self._failures == _TOLD_AT_FAILURES:
                logger.warning("RunPod tells no status now (%s); asking goes on.", what)
        self._again(job, CLOSEST_SECONDS)

    def _unknown(self, job: Job) -> None:
        """404: it expired, or its result was kept long enough; what counts is in the bucket."""
        if self._time.clock() - job.known_since < UNBELIEVED_SECONDS:
            self._again(job, CLOSEST_SECONDS)
        else:
            self._end(job, Report("LOST", "RunPod knows no such job any more"), None)

    def _see(self, job: Job, sight: Sight) -> None:
        job.phase = sight.phase
        now = self._time.clock()
        if sight.report is not None:
            self._end(job, sight.report, sight.run_seconds)
        elif sight.phase == "waits":
            run_seconds = (job.quoted_seconds or _UNKNOWN_SECONDS) * self._experience.ratio
            job.outlook.waits(now, run_seconds)
            self._queue.add(job.number)
            ahead = self._queue.ahead(job.number)
            self._again(job, until_start(run_seconds, ahead, self._experience.ends_a_second))
        else:
            if sight.phase == "unknown":
                self._warn(sight.state[:40])
            self._queue.remove(job.number)
            job.outlook.runs(now, sight.part)
            self._again(job, job.outlook.next_look_seconds(now))
            self._tell(job, sight.done_ms)

    def _tell(self, job: Job, done_ms: int | None) -> None:
        if job.progress is not None and done_ms is not None and done_ms > job.done_ms:
            job.done_ms = done_ms
            job.progress(done_ms)

    def _end(self, job: Job, report: Report, run_seconds: float | None) -> None:
        job.report, job.phase = report, "ended"
        self._queue.remove(job.number)
        self._experience.ended(self._time.clock(), job.quoted_seconds, run_seconds)
        job.ended.set()
        self._again(job, LEFT_SECONDS)

    def _again(self, job: Job, seconds: float) -> None:
        if self._jobs.get(job.id) is job:
            self._schedule(job, seconds)

    def _warn(self, state: str) -> None:
        """Once for each state: a thousand jobs see the same."""
        if state not in self._warned:
            self._warned.add(state)
            logger.warning(
                "RunPod says the state %r, which is new; its jobs are waited for.", state
            )
