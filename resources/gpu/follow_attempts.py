"""Watching one attempt until there is a result or the attempt ends. Acts on `judge`'s verdicts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from escriba.billing.attempts import Attempt
from escriba.billing.quote_ceiling import STOP_SECONDS
from escriba.text_for.plain_lines import log_line
from gpu_job.contract import Lease
from resources.storage.base import StorageError
from resources.storage.read_documents import DamagedError

from .backend import AttemptReport
from .backend_state import BackendState  # noqa: TC001
from .close_attempts import AttemptCloser
from .fleet import Fleet
from .idempotency import QUEUE_LIMIT, Observation, Verdict, Watch, judge, observe
from .job_folder import Submission
from .job_orders import JobOrder

LOOK_SECONDS = 2.0
LOOK_GROWTH = 1.25
PATIENCE_SECONDS = 1_800.0  # with a failing store while an attempt is open
_UNKNOWN_BACKEND_LOOK_SECONDS = 30.0  # for a backend that is no longer set up
_NOT_THE_WORKERS_FAULT = {"cancelled"}  # the job had not started when its machine was taken away

_LOG = logging.getLogger("escriba")


@dataclass(frozen=True, slots=True)
class _End:
    """The last observation. verdict: how to close it; None: it is closed, or its result exists."""

    observation: Observation
    verdict: Verdict | None = None


@dataclass
class AttemptFollower:
    """Watches attempts; any number concurrently.

    active: the backends of the attempts that a worker is processing, by attempt id.
    """

    fleet: Fleet
    closing: AttemptCloser
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    active: dict[str, str] = field(default_factory=dict)

    async def follow(
        self, order: JobOrder, attempt: Attempt, submission: Submission | None = None
    ) -> None:
        """Wait until there is a result or the attempt is closed. submission: set if it is ours."""
        await _Following(self, order, attempt, submission).follow()


class _Following:
    """One attempt that is being watched."""

    def __init__(
        self,
        follower: AttemptFollower,
        order: JobOrder,
        attempt: Attempt,
        submission: Submission | None,
    ) -> None:
        self._follower, self._order, self._attempt = follower, order, attempt
        self._folder, self._number = order.folder, attempt.attempt
        self._submission, self._is_ours = submission, submission is not None
        self._state: BackendState | None = follower.fleet.of(attempt.backend, attempt.sku)
        self._watch = Watch(follower.clock)
        follower.closing.watched(attempt, self._watch)
        self._cancelled = False
        self._last_beat = ""  # the lease's ETag at the look before
        self._failing_since: float | None = None  # the first failed look in a row
        self._unused_report: AttemptReport | None = None  # it arrived with a look that failed

    async def follow(self) -> None:
        with self._follower.fleet.waiting.waiting(self._folder.job):
            try:
                await self._look_until_the_end()
            finally:
                self._follower.active.pop(self._attempt.attempt_id, None)

    async def _look_until_the_end(self) -> None:
        for wait_seconds in waits(self._look_seconds):
            try:
                end = await self._end(wait_seconds)
            except DamagedError:
                raise
            except StorageError as error:
                self._tolerate(error)
                await self._follower.sleep(wait_seconds)
                continue
            self._failing_since, self._unused_report = None, None
            if end is not None and end.verdict is not None:
                await self._close(end.verdict, end.observation)
            if end is not None:
                return

    async def _end(self, wait_seconds: float) -> _End | None:
        """Look once and act on it; None while the attempt has not ended."""
        report = self._unused_report = self._unused_report or await self._poll(wait_seconds)
        await self._read_lease()
        submitted, final = self._submission is not None, report is not None
        observation = observe(self._attempt, self._watch, submitted=submitted, final=final)
        verdict = judge(observation)
        if verdict.action == "wait" and report is None:
            self._note_waiting(observation.lease)
            self._tell_progress(observation.lease)
            await self._stop_if_too_long()
            return None
        # after the lease: a worker writes its result before it reports done, or dies
        if await asyncio.to_thread(self._folder.has_result):
            await self._wait_for_worker(report)
            return _End(observation)
        if verdict.action == "abandon" and await self._abandon(verdict, report):
            self._blame_workers(verdict, report)
            if report is None:
                await self._withdraw()
            return _End(observation)
        if verdict.action == "close":
            return _End(observation, verdict)
        if report is not None:
            await self._cancel_if_backend_gave_up(observation.lease, report)
            await self._follower.sleep(wait_seconds)  # a backend that is done does not wait
        return None

    def _tolerate(self, error: StorageError) -> None:
        """A store that fails for a while does not end a paid attempt: look again later."""
        self._watch.read_failed()
        now_seconds = self._follower.clock()
        if self._failing_since is None:
            self._failing_since = now_seconds
            _LOG.warning(
                "Job %s could not be checked; retrying: %s", self._folder.job, log_line(error)
            )
        self._follower.fleet.waiting.wait(self._folder.job, str(error))
        if now_seconds - self._failing_since > PATIENCE_SECONDS:
            raise error

    def _note_waiting(self, lease: Lease | None) -> None:
        """An accepted job that no worker has begun waits, such as for a throttled one."""
        waiting, job = self._follower.fleet.waiting, self._folder.job
        if lease is not None:
            waiting.go_on(job)
            self._follower.active[self._attempt.attempt_id] = self._attempt.backend
            return
        why = self._state.last_reason if self._state is not None else ""
        name = f"{self._attempt.backend}/{self._attempt.sku}"
        waiting.wait(job, f"no worker of {name} has begun{why and f' ({why})'}")

    @property
    def _look_seconds(self) -> float:
        return self._state.backend.look_seconds if self._state else _UNKNOWN_BACKEND_LOOK_SECONDS

    async def _poll(self, wait_seconds: float) -> AttemptReport | None:
        if self._submission is None:
            self._submission = await asyncio.to_thread(self._folder.submission, self._number)
        if self._state is None:
            await self._follower.sleep(wait_seconds)
            return None
        return await self._state.backend.poll(self._submission, wait_seconds)

    async def _read_lease(self) -> None:
        was_known = self._watch.lease is not None
        lease = await asyncio.to_thread(self._folder.read_lease, self._number, self._watch)
        has_started = lease is not None and not was_known and lease.state != "buried"
        if has_started and self._state is not None:
            self._state.workers.succeeded()

    def _tell_progress(self, lease: Lease | None) -> None:
        """Tell what a new heartbeat says, which backends may not report themselves.

        The first lease of an attempt of another process may be that of a worker that is lost.
        """
        beat, self._last_beat = self._last_beat, self._watch.etag
        is_new = self._watch.etag != beat and bool(beat or self._is_ours)
        if is_new and lease is not None and lease.usage is not None:
            self._order.progress(lease.usage.audio_ms_done)

    async def _abandon(self, verdict: Verdict, report: AttemptReport | None) -> bool:
        """False if a worker has just taken the lease."""
        closing, why = self._follower.closing, _reason(verdict, report)
        closed = await closing.abandon(self._folder, self._attempt, why, verdict.error_type)
        return closed is not None

    async def _close(self, verdict: Verdict, observation: Observation) -> None:
        """Our clock says how long a worker ran only if it was lost on this machine."""
        lease = observation.lease
        lost_here = self._is_ours and verdict.status == "lost" and observation.owner_is_dead
        died_at = self._watch.died_at(lease, self._watch.etag) if lost_here else None
        closing = self._follower.closing
        await closing.close(self._folder, self._attempt, verdict, lease, died_at)

    def _blame_workers(self, verdict: Verdict, report: AttemptReport | None) -> None:
        """Workers that end jobs without starting them, or do not come, will do so again."""
        if self._state is None:
            return
        if verdict.error_type == QUEUE_LIMIT:
            seconds = self._attempt.queue_limit_seconds
            reason = f"no worker started a job within its queue limit of {seconds:,.0f} s"
            self._state.workers.failed(reason, lasting=False)
            return
        excused = (
            report is None or report.code in _NOT_THE_WORKERS_FAULT or report.status == "CANCELLED"
        )
        if not excused:
            cause = report.error or report.status if report else ""
            reason = f"its workers end jobs without starting them: {cause}"
            self._state.workers.failed(reason, lasting=False)

    async def _wait_for_worker(self, report: AttemptReport | None) -> None:
        """Give the worker a moment to become free for the next job."""
        if self._is_ours and report is None and self._state is not None:
            await self._state.backend.poll(self._submission, LOOK_SECONDS)

    async def _stop_if_too_long(self) -> None:
        # a worker stops by itself before that, and keeps its partial result
        if self._watch.run_seconds > self._attempt.run_limit_seconds + STOP_SECONDS:
            await self._cancel()

    async def _cancel_if_backend_gave_up(self, lease: Lease | None, report: AttemptReport) -> None:
        """Cancel an attempt that the backend calls ended while its lease says running.

        COMPLETED is the report of a duplicate delivery, which had nothing to do.
        """
        completed = report.status == "COMPLETED"
        if lease is not None and lease.state == "running" and not completed:
            await self._cancel()

    async def _withdraw(self) -> None:
        """Cancel what nobody may start any more, or a machine would start for it in vain."""
        if self._state is not None and self._submission is not None:
            await self._state.backend.cancel(self._submission)

    async def _cancel(self) -> None:
        if not self._is_ours or self._cancelled or self._submission is None:
            return
        if self._state is not None:
            self._cancelled = True
            await self._state.backend.cancel(self._submission)


def waits(at_most_seconds: float) -> Iterator[float]:
    """Seconds between looks: short while an attempt starts, then longer."""
    seconds = LOOK_SECONDS
    while True:
        yield seconds
        seconds = min(seconds * LOOK_GROWTH, at_most_seconds)


def _reason(verdict: Verdict, report: AttemptReport | None) -> str:
    if report is None:
        return verdict.reason
    detail = f"{report.status}: {report.error}" if report.error else report.status
    return f"{verdict.reason} ({detail})"
