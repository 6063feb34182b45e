"""One task that requests the status of all jobs of an endpoint, each when it may have changed."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from escriba.billing.quotes import Quote
from escriba.text_for.plain_lines import log_line
from resources.gpu.backend import AttemptReport, Progress
from resources.http.json_requests import RefusedError, TransientError
from resources.http.rate_limiter import RateLimiter, backoff_seconds

from .client import STATUSES, STATUSES_AT_ONCE, Time
from .due_jobs import DueJobs
from .jobs import Job, JobObservation, Queue, observation_of
from .poll_schedule import (
    CLOSEST_SECONDS,
    FARTHEST_SECONDS,
    JobDurations,
    PollSchedule,
    until_start,
)

UNBELIEVED_SECONDS = 30.0  # RunPod may not know a new job for a while
LEFT_SECONDS = 300.0  # a job that nothing waits for this long is forgotten
_MAX_RETRY_AFTER_SECONDS = 300.0
_UNKNOWN_SECONDS = 120.0  # the assumed run of another process's job, which has no quote here
_FAILURES_TO_WARN = 3  # in a row: a single failure is not worth a warning

logger = logging.getLogger(__name__)


class Poller:
    """Starts with the first job. request_status: requests a job's status once."""

    def __init__(
        self,
        request_status: Callable[[str], Awaitable[dict[str, Any]]],
        secret: str,
        time_: Time,
    ) -> None:
        self._request_status, self._secret, self._time = request_status, secret, time_
        self._limiter = RateLimiter(STATUSES, STATUSES_AT_ONCE, time_.clock, time_.sleep)
        self._places = asyncio.Semaphore(STATUSES_AT_ONCE)
        self._jobs: dict[str, Job] = {}
        self._due, self._numbers = DueJobs(time_), itertools.count(1)
        self._queue, self._durations = Queue(), JobDurations()
        self._task: asyncio.Task[None] | None = None
        self._requests: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._warned_states: set[str] = set()

    def __len__(self) -> int:
        return len(self._jobs)

    def phase(self, id_: str) -> str:
        """The last known phase of a job: waits, runs, ended or unknown."""
        job = self._jobs.get(id_)
        return job.phase if job else "unknown"

    def follow(self, id_: str, quote: Quote, progress: Progress) -> None:
        """Add a job that was just submitted."""
        now, run_seconds = self._time.clock(), quote.run_seconds * self._durations.ratio
        start_seconds = max(quote.latency_seconds - quote.run_seconds, 0.0)
        job = Job(
            id_,
            next(self._numbers),
            now,
            PollSchedule(now, run_seconds, start_seconds),
            ours=True,
            quoted_seconds=quote.run_seconds,
            progress=progress,
            left_at=now,
        )
        self._jobs[id_] = job
        self._queue.add(job.number)
        self._schedule(job, job.schedule.first_look_seconds(start_seconds))

    async def wait_for_report(self, id_: str, wait_seconds: float) -> AttemptReport | None:
        """How a job ended, as soon as that is known; None after so many seconds without an end.

        A job that is unknown here, such as another process's, is requested immediately.
        """
        job = self._jobs.get(id_) or self._attach(id_)
        job.followed += 1
        try:
            if job.reported:  # a caller that asks in a loop must not spin
                await self._time.sleep(min(wait_seconds, 1.0))
            await asyncio.wait_for(job.ended.wait(), wait_seconds)
        except TimeoutError:
            return None
        except asyncio.CancelledError:
            if job.followed == 1 and not job.ours:
                self.forget(id_)
            raise
        finally:
            job.followed -= 1
            job.left_at = self._time.clock()
        job.reported = True
        return job.report

    def check_soon(self, id_: str) -> None:
        """Request the status soon, since the job is about to change."""
        job = self._jobs.get(id_)
        if job is not None and job.report is None:
            self._schedule(job, CLOSEST_SECONDS)

    def forget(self, id_: str) -> None:
        """Stop following a job."""
        job = self._jobs.pop(id_, None)
        if job is not None:
            self._queue.remove(job.number)
            if job.ours and job.report is None:  # its result was found in the bucket first
                self._durations.ended(self._time.clock(), 0.0, None)

    async def close(self) -> None:
        """Stop all requests."""
        tasks = [task for task in (self._task, *self._requests) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None

    def _attach(self, id_: str) -> Job:
        now = self._time.clock()
        job = Job(id_, next(self._numbers), now, PollSchedule(now, 0.0, 0.0))
        self._jobs[id_] = job
        self._schedule(job, 0.0)
        return job

    def _schedule(self, job: Job, seconds: float) -> None:
        self._due.schedule(job, seconds)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="runpod-poller")

    async def _run(self) -> None:
        """Request one due job after the other, within the common rate limit."""
        while True:
            job = await self._next_due()
            while self._failures and self._requests:  # after a failure, one request probes
                await asyncio.wait(self._requests, return_when=asyncio.FIRST_COMPLETED)
            await self._places.acquire()
            await self._limiter.wait()
            request = asyncio.create_task(self._check(job))
            self._requests.add(request)
            request.add_done_callback(partial(self._on_checked, job))

    def _on_checked(self, job: Job, request: asyncio.Task[None]) -> None:
        """After any failure, the job is checked again later."""
        self._places.release()
        self._requests.discard(request)
        if not request.cancelled() and (error := request.exception()):
            logger.error("Checking a job on RunPod failed: %s", type(error).__name__)
            self._reschedule(job, FARTHEST_SECONDS)

    async def _next_due(self) -> Job:
        while True:
            job = await self._due.next_due(self._jobs)
            if job.followed or self._time.clock() - job.left_at < LEFT_SECONDS:
                if job.report is None:
                    return job
                self._schedule(job, LEFT_SECONDS)  # kept for a while, in case of another call
            else:
                self.forget(job.id)

    async def _check(self, job: Job) -> None:
        if self._jobs.get(job.id) is not job:
            return  # forgotten while it waited for its turn
        try:
            status = await self._request_status(job.id)
        except TransientError as error:
            self._on_failure(job, error.what, error.retry_after_seconds)
        except RefusedError as refused:
            if refused.is_unknown:
                self._failures = 0
                self._on_unknown(job)
            else:
                self._on_failure(job, str(refused), None)
        else:
            self._failures = 0
            if job.report is None:
                self._on_status(job, observation_of(status, self._secret))

    def _on_failure(self, job: Job, what: str, retry_after_seconds: float | None) -> None:
        """Pause all requests, longer after each failure; concurrent failures count once."""
        if not self._limiter.is_paused:
            self._failures += 1
            wait = backoff_seconds(self._failures, self._time.jitter)
            if retry_after_seconds is not None:
                wait += min(retry_after_seconds, _MAX_RETRY_AFTER_SECONDS)
            self._limiter.pause(wait)
            if self._failures == _FAILURES_TO_WARN:
                logger.warning(
                    "RunPod does not report job status now (%s); retrying.", log_line(what)
                )
        self._reschedule(job, CLOSEST_SECONDS)

    def _on_unknown(self, job: Job) -> None:
        """HTTP 404: the job expired, or its result was deleted. The bucket decides."""
        if self._time.clock() - job.known_since < UNBELIEVED_SECONDS:
            self._reschedule(job, CLOSEST_SECONDS)
        else:
            self._end(job, AttemptReport("LOST", "RunPod no longer knows the job"), None)

    def _on_status(self, job: Job, observation: JobObservation) -> None:
        job.phase = observation.phase
        now = self._time.clock()
        if observation.report is not None:
            self._end(job, observation.report, observation.run_seconds)
        elif observation.phase == "waits":
            run_seconds = (job.quoted_seconds or _UNKNOWN_SECONDS) * self._durations.ratio
            job.schedule.waits(now, run_seconds)
            self._queue.add(job.number)
            ahead = self._queue.ahead(job.number)
            self._reschedule(job, until_start(run_seconds, ahead, self._durations.ends_a_second))
        else:
            if observation.phase == "unknown":
                self._warn_of_state(observation.state[:40])
            self._queue.remove(job.number)
            job.schedule.runs(now, observation.part)
            self._reschedule(job, job.schedule.next_look_seconds(now))
            self._report_progress(job, observation.done_ms)

    def _report_progress(self, job: Job, done_ms: int | None) -> None:
        if job.progress is not None and done_ms is not None and done_ms > job.done_ms:
            job.done_ms = done_ms
            job.progress(done_ms)

    def _end(self, job: Job, report: AttemptReport, run_seconds: float | None) -> None:
        job.report, job.phase = report, "ended"
        self._queue.remove(job.number)
        self._durations.ended(self._time.clock(), job.quoted_seconds, run_seconds)
        job.ended.set()
        self._reschedule(job, LEFT_SECONDS)

    def _reschedule(self, job: Job, seconds: float) -> None:
        if self._jobs.get(job.id) is job:
            self._schedule(job, seconds)

    def _warn_of_state(self, state: str) -> None:
        """Warn once for each state, not for each of a thousand jobs."""
        if state not in self._warned_states:
            self._warned_states.add(state)
            logger.warning("RunPod reports the unknown state %r; waiting for its jobs.", state)
