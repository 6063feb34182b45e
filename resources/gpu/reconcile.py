"""Recovery of what crashed runs left behind: unwatched attempts and uncollected results.

Every open attempt has an object in `ledger/open/`, so one listing finds them all. A live run may
work concurrently: all verdicts come from `judge`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from escriba.billing.attempts import Attempt
from escriba.billing.price_book import PriceBookError
from resources.spending.reservations import Reservation, Spending
from resources.storage.base import Storage, StorageError, StoredObject
from resources.storage.clock import utc_now

from .backend import AttemptReport
from .close_attempts import AttemptCloser
from .fleet import Fleet
from .idempotency import SILENT_SECONDS, Watch, judge, observe
from .job_folder import ADDRESS_MARGIN, JobFolder, ResultHead

_BETWEEN_LOOKS_SECONDS = 30.0
_ORPHANED = timedelta(hours=1)  # a reservation without an attempt: its run died in between
_LOOKS_AT_ONCE = 32
_POLL_SECONDS = 5.0


@dataclass
class Reconciled:
    """Names of recordings by what was found; those in `recordings` need a run.

    troubles: errors, one for each attempt that could not be checked.
    """

    collected: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    never_begun: int = 0
    troubles: list[str] = field(default_factory=list)

    @property
    def recordings(self) -> list[str]:
        """Recordings with an attempt that ended: the next run continues them."""
        return sorted({*self.collected, *self.closed})

    @property
    def headline(self) -> str:
        """One line, for a log."""
        return (
            f"{len(self.collected)} results collected, {len(self.closed)} attempts closed, "
            f"{len(self.settled) + self.never_begun} settled, {len(self.running)} still running."
        )


@dataclass
class Reconciler:
    """Watches every open attempt until its state is certain, which takes up to five minutes.

    A lease that changes belongs to a live worker and is left alone. A lease that is unchanged for
    300 s has no owner; no shorter time proves that (docs/idempotency.md, rule 10).
    """

    storage: Storage
    fleet: Fleet
    closing: AttemptCloser
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], datetime] = utc_now

    async def reconcile(self) -> Reconciled:
        """Reconcile everything in `ledger/open/`; an error with one affects no other."""
        found, gate = Reconciled(), asyncio.Semaphore(_LOOKS_AT_ONCE)

        async def one(reservation: Reservation, stored: StoredObject) -> None:
            try:
                await self._one(reservation, stored, found, gate)
            except (StorageError, PriceBookError) as error:
                found.troubles.append(str(error))

        listed = await asyncio.to_thread(lambda: list(Spending(self.storage).open()))
        await asyncio.gather(*(one(*each) for each in listed))
        for key in await asyncio.to_thread(lambda: list(Spending(self.storage).foreign())):
            found.troubles.append(f"{key!r} is no reservation and counts for nothing: delete it.")
        return found

    async def _one(
        self,
        reservation: Reservation,
        stored: StoredObject,
        found: Reconciled,
        gate: asyncio.Semaphore,
    ) -> None:
        folder = JobFolder(self.storage, reservation.tenant, reservation.job)
        age = self.now() - stored.modified
        attempt = await asyncio.to_thread(folder.attempt, reservation.attempt)
        if attempt is None or attempt.nonce != reservation.nonce:
            if age > _ORPHANED:
                await self.fleet.budget.withdraw(reservation)
                found.never_begun += 1
            return
        if attempt.end is not None:
            await self.closing.finish(folder, attempt)
            found.settled.append(attempt.recording)
            return
        await _Watched(self, folder, attempt, age, gate).decide(found)


class _Watched:
    """One open attempt, watched until it is certain whether a worker has it."""

    def __init__(
        self,
        reconciler: Reconciler,
        folder: JobFolder,
        attempt: Attempt,
        age: timedelta,
        gate: asyncio.Semaphore,
    ) -> None:
        self._reconciler, self._folder, self._attempt = reconciler, folder, attempt
        self._age, self._gate = age, gate
        self._watch, self._submitted = Watch(reconciler.clock), False

    async def decide(self, found: Reconciled) -> None:
        name, first_etag = self._attempt.recording, ""
        for seconds in _looks():
            await self._reconciler.sleep(seconds)
            async with self._gate:
                report = await self._look()
                # after the lease: a worker writes its result before it reports done, or dies
                result = await asyncio.to_thread(self._folder.result_head)
                if result is not None and await self._is_collected(result, found):
                    return
                if await self._is_over(report):
                    found.closed.append(name)
                    return
            first_etag = first_etag or self._watch.etag
            if first_etag != self._watch.etag:
                break  # a worker sends heartbeats
            if self._watch.lease is None and report is None and self._submitted and seconds:
                if await self._has_expired():
                    found.closed.append(name)
                    return
                break  # it waits in a queue
        found.running.append(name)

    async def _is_collected(self, result: ResultHead, found: Reconciled) -> bool:
        attempts = await asyncio.to_thread(self._folder.attempts)
        settled = await self._reconciler.closing.settle(self._folder, attempts, result)
        if any(one.attempt == self._attempt.attempt and one.end is None for one in settled):
            return False  # the result is another attempt's, and a worker may have this one
        found.collected.append(self._attempt.recording)
        return True

    async def _look(self) -> AttemptReport | None:
        """Read the lease, and return the backend's report."""
        n = self._attempt.attempt
        submission = await asyncio.to_thread(self._folder.submission, n)
        state = self._reconciler.fleet.of(self._attempt.backend, self._attempt.sku)
        report = None
        if state is not None and submission is not None:
            report = await state.backend.poll(submission, _POLL_SECONDS)
        await asyncio.to_thread(self._folder.read_lease, n, self._watch)
        self._submitted = submission is not None
        return report

    async def _is_over(self, report: AttemptReport | None) -> bool:
        final = report is not None
        verdict = judge(observe(self._attempt, self._watch, submitted=self._submitted, final=final))
        if verdict.action == "wait":
            return False
        if verdict.action == "abandon":
            return await self._abandon(verdict.reason)
        lease = self._watch.lease
        await self._reconciler.closing.close(self._folder, self._attempt, verdict, lease)
        return True

    async def _has_expired(self) -> bool:
        """Abandon an attempt after its addresses expired, which no backend reports.

        This compares the store's clock with ours; if one is wrong, the job is only submitted again.
        """
        limits = self._attempt.queue_limit_seconds + self._attempt.run_limit_seconds
        if self._age <= timedelta(seconds=limits) + ADDRESS_MARGIN:
            return False
        return await self._abandon("its queue limit has passed")

    async def _abandon(self, why: str) -> bool:
        """False if a worker has just taken the lease."""
        return await self._reconciler.closing.abandon(self._folder, self._attempt, why) is not None


def _looks() -> Iterator[float]:
    """Seconds before each look; the last look comes after SILENT_SECONDS."""
    yield 0.0
    for _ in range(int(SILENT_SECONDS / _BETWEEN_LOOKS_SECONDS) + 1):
        yield _BETWEEN_LOOKS_SECONDS
