"""What runs that died left behind: attempts nobody looks at, results nobody collected.

Every attempt under way has an object in `ledger/open/`, so that a look at all of them is one
listing. Whatever a living run does at the same time, the verdicts are those of `judge`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelines.billing.attempts import Attempt
from pipelines.billing.prices import PriceBookError
from resources.spending import Reservation, Spending
from resources.storage.base import Storage, StorageError, Stored
from resources.storage.clock import utc_now

from .base import Report
from .closing import Closing
from .fleet import Fleet
from .job_folder import ADDRESS_MARGIN, JobFolder, ResultHead
from .paid_once import SILENT_SECONDS, Watch, judge, sight_of

_BETWEEN_LOOKS_SECONDS = 30.0
_NEVER_BEGUN = timedelta(hours=1)  # whose attempt is missing: its run died just before, or lives
_LOOKS_AT_ONCE = 32
_NEWS_SECONDS = 5.0


@dataclass
class Reconciled:
    """Names of recordings by what was found of them; `recordings` want a run."""

    collected: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    never_begun: int = 0
    troubles: list[str] = field(default_factory=list)

    @property
    def recordings(self) -> list[str]:
        """Their attempts are over now, and a run takes them further."""
        return sorted({*self.collected, *self.closed})

    @property
    def headline(self) -> str:
        """One line, for a log."""
        return (
            f"{len(self.collected)} results collected, {len(self.closed)} attempts closed, "
            f"{len(self.settled) + self.never_begun} settled, {len(self.running)} still under way."
        )


@dataclass
class Reconciler:
    """Looks at everything that is open until each of it is decided, five minutes at most.

    A claim that changes belongs to a living worker: it is left alone. One that does not change
    for 300 s has no owner, and nothing shorter can tell (paid once, rule 10).
    """

    storage: Storage
    fleet: Fleet
    closing: Closing
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], datetime] = utc_now

    async def reconcile(self) -> Reconciled:
        """Everything in `ledger/open/`; trouble with one costs no other."""
        found, gate = Reconciled(), asyncio.Semaphore(_LOOKS_AT_ONCE)

        async def one(reservation: Reservation, stored: Stored) -> None:
            try:
                await self._one(reservation, stored, found, gate)
            except (StorageError, PriceBookError) as error:
                found.troubles.append(str(error))

        listed = await asyncio.to_thread(lambda: list(Spending(self.storage).open()))
        await asyncio.gather(*(one(*each) for each in listed))
        return found

    async def _one(
        self, reservation: Reservation, stored: Stored, found: Reconciled, gate: asyncio.Semaphore
    ) -> None:
        folder = JobFolder(self.storage, reservation.tenant, reservation.job)
        age = self.now() - stored.modified
        attempt = await asyncio.to_thread(folder.attempt, reservation.attempt)
        if attempt is None or attempt.nonce != reservation.nonce:
            if age > _NEVER_BEGUN:
                await self.fleet.budget.withdraw(reservation)
                found.never_begun += 1
            return
        if attempt.end is not None:
            await self.closing.finish(folder, attempt)
            found.settled.append(attempt.recording)
            return
        await _Watched(self, folder, attempt, age, gate).decide(found)


class _Watched:
    """One open attempt, looked at until it is certain whether anybody has it."""

    def __init__(
        self,
        tools: Reconciler,
        folder: JobFolder,
        attempt: Attempt,
        age: timedelta,
        gate: asyncio.Semaphore,
    ) -> None:
        self._tools, self._folder, self._attempt, self._gate = tools, folder, attempt, gate
        self._age = age
        self._watch, self._submitted = Watch(tools.clock), False

    async def decide(self, found: Reconciled) -> None:
        name, first_etag = self._attempt.recording, ""
        for seconds in _looks():
            await self._tools.sleep(seconds)
            async with self._gate:
                report = await self._look()
                # after the claim: a worker writes its result before it says done, or dies
                result = await asyncio.to_thread(self._folder.result_head)
                if result is not None and await self._is_collected(result, found):
                    return
                if await self._is_over(report):
                    found.closed.append(name)
                    return
            first_etag = first_etag or self._watch.etag
            if first_etag != self._watch.etag:
                break  # it beats
            if self._watch.claim is None and report is None and self._submitted and seconds:
                if await self._has_expired():
                    found.closed.append(name)
                    return
                break  # it waits in a queue
        found.running.append(name)

    async def _is_collected(self, result: ResultHead, found: Reconciled) -> bool:
        attempts = await asyncio.to_thread(self._folder.attempts)
        settled = await self._tools.closing.settle(self._folder, attempts, result)
        if any(one.attempt == self._attempt.attempt and one.end is None for one in settled):
            return False  # the result is another attempt's, and perhaps a worker has this one
        found.collected.append(self._attempt.recording)
        return True

    async def _look(self) -> Report | None:
        """The claim, and what the backend says; both as they are now."""
        n = self._attempt.attempt
        submission = await asyncio.to_thread(self._folder.submission, n)
        standing = self._tools.fleet.of(self._attempt.backend, self._attempt.sku)
        report = None
        if standing is not None and submission is not None:
            report = await standing.backend.poll(submission, _NEWS_SECONDS)
        await asyncio.to_thread(self._folder.look_at_claim, n, self._watch)
        self._submitted = submission is not None
        return report

    async def _is_over(self, report: Report | None) -> bool:
        final = report is not None
        verdict = judge(
            sight_of(self._attempt, self._watch, submitted=self._submitted, final=final)
        )
        if verdict.action == "wait":
            return False
        if verdict.action == "bury":
            return await self._is_buried(verdict.reason)
        claim = self._watch.claim
        await self._tools.closing.close(self._folder, self._attempt, verdict, claim)
        return True

    async def _has_expired(self) -> bool:
        """Its addresses are dead, and no backend says so: no look is as long as a queue's limit.

        By a clock of the store and ours; were one wrong, the job is only handed over again.
        """
        limits = self._attempt.queue_limit_seconds + self._attempt.run_limit_seconds
        if self._age <= timedelta(seconds=limits) + ADDRESS_MARGIN:
            return False
        return await self._is_buried("its time in the queue is over")

    async def _is_buried(self, why: str) -> bool:
        return await self._tools.closing.bury(self._folder, self._attempt, why) is not None


def _looks() -> Iterator[float]:
    """Seconds before each look: the last one is after a silent claim's time is over."""
    yield 0.0
    for _ in range(int(SILENT_SECONDS / _BETWEEN_LOOKS_SECONDS) + 1):
        yield _BETWEEN_LOOKS_SECONDS
