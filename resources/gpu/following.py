"""Watching one attempt until there is a result, or until it is over. Follows `judge`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from gpu_job.contract import Claim
from pipelines.billing.attempts import Attempt
from pipelines.billing.ceilings import STOP_SECONDS
from resources.storage.base import StorageError

from .base import Report
from .closing import Closing
from .fleet import Fleet, Standing
from .job_folder import DamagedError, Submission
from .orders import Order
from .paid_once import Sight, Verdict, Watch, judge, sight_of

LOOK_SECONDS = 2.0
LOOK_GROWTH = 1.25
PATIENCE_SECONDS = 1_800.0  # with a store that fails while an attempt is under way
_NOBODYS_LOOK_SECONDS = 30.0  # of a backend that is not set up any more
_OUR_OWN_DOING = {"cancelled"}  # a job that was not begun when its machine went tells nothing

_LOG = logging.getLogger("escriba")


@dataclass(frozen=True, slots=True)
class _End:
    """The last look. verdict: what to close it by; None where it is closed, or collected soon."""

    sight: Sight
    verdict: Verdict | None = None


@dataclass
class Follower:
    """Looks at attempts; any number at once."""

    fleet: Fleet
    closing: Closing
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]

    async def follow(
        self, order: Order, attempt: Attempt, submission: Submission | None = None
    ) -> None:
        """Until there is a result, or the attempt is closed. With `submission` it is our own."""
        await _Following(self, order, attempt, submission).follow()


class _Following:
    """One attempt under our eyes."""

    def __init__(
        self, tools: Follower, order: Order, attempt: Attempt, submission: Submission | None
    ) -> None:
        self._tools, self._order, self._attempt = tools, order, attempt
        self._folder, self._number = order.folder, attempt.attempt
        self._submission, self._mine = submission, submission is not None
        self._standing: Standing | None = tools.fleet.of(attempt.backend, attempt.sku)
        self._watch = Watch(tools.clock)
        tools.closing.watched(attempt, self._watch)
        self._cancelled = False
        self._ill_since: float | None = None  # the first of the looks that failed in a row
        self._unused: Report | None = None  # it came with a look that failed

    async def follow(self) -> None:
        for wait_seconds in waits(self._look_seconds):
            try:
                end = await self._end(wait_seconds)
            except DamagedError:
                raise
            except StorageError as error:
                self._bear(error)
                await self._tools.sleep(wait_seconds)
                continue
            self._ill_since, self._unused = None, None
            if end is not None and end.verdict is not None:
                await self._close(end.verdict, end.sight)
            if end is not None:
                return

    async def _end(self, wait_seconds: float) -> _End | None:
        """One look, and what follows from it; None while the attempt is not over."""
        report = self._unused = self._unused or await self._news(wait_seconds)
        await self._look()
        submitted, final = self._submission is not None, report is not None
        sight = sight_of(self._attempt, self._watch, submitted=submitted, final=final)
        verdict = judge(sight)
        if verdict.action == "wait" and report is None:
            await self._stop_if_too_long()
            return None
        # looked at last: a worker writes its result before it says done, or dies
        if await asyncio.to_thread(self._folder.has_result):
            await self._let_the_worker_end(report)
            return _End(sight)
        if verdict.action == "bury" and await self._is_buried(_reason(verdict, report)):
            self._blame(report)
            return _End(sight)
        if verdict.action == "close":
            return _End(sight, verdict)
        if report is not None:
            await self._stop_if_it_gave_up(sight.claim, report)
            await self._tools.sleep(wait_seconds)  # a backend that is done waits for nothing
        return None

    def _bear(self, error: StorageError) -> None:
        """A store that fails for a while ends no attempt that is paid for: look again later."""
        self._watch.missed()
        now_seconds = self._tools.clock()
        if self._ill_since is None:
            self._ill_since = now_seconds
            _LOG.warning("A look at %s failed, and is repeated: %s", self._folder.job, error)
        if now_seconds - self._ill_since > PATIENCE_SECONDS:
            raise error

    @property
    def _look_seconds(self) -> float:
        return self._standing.backend.look_seconds if self._standing else _NOBODYS_LOOK_SECONDS

    async def _news(self, wait_seconds: float) -> Report | None:
        if self._submission is None:
            self._submission = await asyncio.to_thread(self._folder.submission, self._number)
        if self._standing is None:
            await self._tools.sleep(wait_seconds)
            return None
        return await self._standing.backend.poll(self._submission, wait_seconds)

    async def _look(self) -> None:
        known = self._watch.claim is not None
        claim = await asyncio.to_thread(self._folder.look_at_claim, self._number, self._watch)
        new = claim is not None and not known and claim.state != "buried"
        if new and self._standing is not None:
            self._standing.workers.succeeded()

    async def _is_buried(self, why: str) -> bool:
        closing = self._tools.closing
        return await closing.bury(self._folder, self._attempt, why) is not None

    async def _close(self, verdict: Verdict, sight: Sight) -> None:
        """Only of a worker lost on this machine our clock says how long it ran."""
        lost_here = self._mine and verdict.status == "lost" and sight.owner_is_dead
        died = self._watch.died_at(sight.claim, self._watch.etag) if lost_here else None
        await self._tools.closing.close(self._folder, self._attempt, verdict, sight.claim, died)

    def _blame(self, report: Report | None) -> None:
        """Workers that end jobs which they never took are broken, all of them most likely."""
        ours = report is None or report.code in _OUR_OWN_DOING or report.status == "CANCELLED"
        if self._standing is not None and not ours:
            said = report.error or report.status if report else ""
            self._standing.workers.failed(f"its workers end jobs untaken: {said}", lasting=False)

    async def _let_the_worker_end(self, report: Report | None) -> None:
        """A moment more, so that it is free again for the next job."""
        if self._mine and report is None and self._standing is not None:
            await self._standing.backend.poll(self._submission, LOOK_SECONDS)

    async def _stop_if_too_long(self) -> None:
        # a worker stops by itself before that, and keeps what it has done
        if self._watch.run_seconds > self._attempt.run_limit_seconds + STOP_SECONDS:
            await self._cancel()

    async def _stop_if_it_gave_up(self, claim: Claim | None, report: Report) -> None:
        """A worker that its backend calls ended, and whose claim says that it runs.

        Of a job that was delivered twice it is the other one that completed: it had nothing to do.
        """
        completed = report.status == "COMPLETED"
        if claim is not None and claim.state == "running" and not completed:
            await self._cancel()

    async def _cancel(self) -> None:
        if not self._mine or self._cancelled or self._submission is None:
            return
        if self._standing is not None:
            self._cancelled = True
            await self._standing.backend.cancel(self._submission)


def waits(at_most_seconds: float) -> Iterator[float]:
    """Seconds between looks: often while an attempt begins, then seldom."""
    seconds = LOOK_SECONDS
    while True:
        yield seconds
        seconds = min(seconds * LOOK_GROWTH, at_most_seconds)


def _reason(verdict: Verdict, report: Report | None) -> str:
    if report is None:
        return verdict.reason
    said = f"{report.status}: {report.error}" if report.error else report.status
    return f"{verdict.reason} ({said})"
