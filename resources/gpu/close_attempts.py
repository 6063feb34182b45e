"""Closing an attempt: its ledger rows, its record, its job at the provider, its reservation."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from escriba.backend_names import AWS_GPU
from escriba.billing.attempt_times import AttemptTimes, attempt_times_of
from escriba.billing.attempts import Attempt, AttemptEnd, clock_warning
from escriba.billing.ledger_rows import ledger_row
from escriba.billing.price_book import Tariff
from escriba.billing.worker_sessions import session_row
from escriba.text_for.plain_lines import log_line
from gpu_job.contract import Lease
from resources.ledger.writer import LedgerWriter
from resources.spending.reservations import reservation_of

from .fleet import Fleet
from .idempotency import BACKEND_DOWN, INTERRUPTED, Verdict, Watch, judge, observe
from .job_folder import JobFolder, ResultHead
from .job_orders import end_of

_LOG = logging.getLogger("escriba")


class AttemptCloser:
    """Closes attempts, and knows which ones this process has open."""

    def __init__(self, fleet: Fleet, ledger: LedgerWriter, clock: Callable[[], float]) -> None:
        self._fleet, self._ledger, self._clock = fleet, ledger, clock
        self._open: dict[str, tuple[JobFolder, Attempt]] = {}
        self._watches: dict[str, Watch] = {}
        self._cancels = True

    def begun(self, folder: JobFolder, attempt: Attempt) -> None:
        """Note that this process owns the attempt until it is closed."""
        self._open[attempt.attempt_id] = (folder, attempt)

    def watched(self, attempt: Attempt, watch: Watch) -> None:
        """Note the watch of an attempt, which knows when its worker's last heartbeat came."""
        self._watches[attempt.attempt_id] = watch

    def price(self, attempt: Attempt) -> Tariff:
        """The tariff of the attempt's seconds.

        Raises:
            PriceBookError: the price is unknown.
        """
        return self._fleet.prices.tariff(attempt.backend, attempt.sku, attempt.created_at)

    async def close(
        self,
        folder: JobFolder,
        attempt: Attempt,
        verdict: Verdict,
        lease: Lease | None,
        died_at: datetime | None = None,
    ) -> Attempt:
        """Write the rows before the end, so that every attempt with an end is in the ledger."""
        end = await self._at_spot_price(attempt, end_of(attempt, verdict, lease, died_at))
        closed = attempt.model_copy(update={"end": end})
        price = self.price(attempt)
        if doubt := clock_warning(closed):
            _LOG.warning("%s", log_line(doubt))
        await self._ledger.add(ledger_row(closed, price), session_row(closed, price))
        await asyncio.to_thread(folder.close, closed)
        self._open.pop(attempt.attempt_id, None)
        self._watches.pop(attempt.attempt_id, None)
        await self.finish(folder, closed)
        return closed

    async def _at_spot_price(self, attempt: Attempt, end: AttemptEnd) -> AttemptEnd:
        """The end with what the machine's zone cost while the attempt ran, if it is known."""
        machine = end.session.machine if end.session else None
        if attempt.backend != AWS_GPU or machine is None or end.started_at is None:
            return end
        usd = await asyncio.to_thread(self._fleet.spot_price, machine, end.started_at, end.ended_at)
        return end.model_copy(update={"spot_usd_per_hour": usd})

    async def abandon(
        self, folder: JobFolder, attempt: Attempt, why: str, error_type: str = ""
    ) -> Attempt | None:
        """Close an attempt that never started; None if a worker has just taken its lease."""
        if not await asyncio.to_thread(folder.abandon, attempt.attempt):
            return None
        verdict = Verdict("close", why, "buried", error_type)
        return await self.close(folder, attempt, verdict, None)

    async def finish(self, folder: JobFolder, closed: Attempt) -> None:
        """Cancel and settle a closed attempt; idempotent.

        A lost worker may still compute somewhere, and an attempt that never started may still wait
        in a queue: neither is worth paying for.
        """
        state = self._fleet.of(closed.backend, closed.sku)
        may_still_run = closed.end is not None and closed.end.status in {"lost", "buried"}
        backend = state.backend if state is not None else None
        if backend is not None and backend.capabilities.paid and may_still_run and self._cancels:
            submission = await asyncio.to_thread(folder.submission, closed.attempt)
            if submission is not None:
                await backend.cancel(submission)
        await self._fleet.budget.settle(reservation_of(closed), self._paid_times(closed))

    def _paid_times(self, closed: Attempt) -> AttemptTimes | None:
        """What the budget limits count; None if it is free, or its backend did not accept it."""
        if not closed.quote_usd or (closed.end and closed.end.error_type == BACKEND_DOWN):
            return None
        price = self.price(closed)
        return attempt_times_of(
            ledger_row(closed, price),
            session_row(closed, price),
            created_at=closed.created_at,
            reserved_usd=closed.quote_usd,
            overhead_usd=closed.overhead_usd,
        )

    async def settle(
        self, folder: JobFolder, attempts: list[Attempt], result: ResultHead
    ) -> list[Attempt]:
        """Close all attempts of a job with a result; its own one is done, even if it was lost."""
        settled = []
        for attempt in attempts:
            done = attempt.end is not None and attempt.end.status == "done"
            if attempt.attempt == result.attempt and not done:
                verdict = _done(result)
                lease = Lease(nonce=result.nonce, state="done", usage=result.usage)
                settled.append(await self.close(folder, attempt, verdict, lease))
            elif attempt.end is None:
                settled.append(await self._supersede(folder, attempt))
            else:
                settled.append(attempt)
        return settled

    async def interrupted(self) -> None:
        """Record the end of open attempts, after the backends have stopped and cancelled them."""
        self._cancels = False
        ends = (
            self._supersede(folder, attempt, "the run was interrupted")
            for folder, attempt in list(self._open.values())
        )
        for end in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(end, Exception):  # reconciliation closes what stays open
                _LOG.warning("An attempt could not be closed: %s", log_line(end))

    async def _supersede(
        self, folder: JobFolder, attempt: Attempt, why: str = "another attempt has the result"
    ) -> Attempt:
        """Close an open attempt that is no longer needed, unless a worker still has it."""
        abandoned = await self.abandon(folder, attempt, why)
        return abandoned or await self._close_if_over(folder, attempt, why)

    async def _close_if_over(self, folder: JobFolder, attempt: Attempt, why: str) -> Attempt:
        """Close an attempt if its worker is certainly gone; leave any other as it is."""
        watch = Watch(self._clock)
        await asyncio.to_thread(folder.read_lease, attempt.attempt, watch)
        observation = observe(attempt, watch, submitted=True, final=False)
        result = await asyncio.to_thread(folder.result_head)
        verdict = judge(observation)
        if verdict.action != "close" or (result and result.attempt == attempt.attempt):
            return attempt  # the next run closes what is done
        if verdict.status == "lost":
            verdict = Verdict("close", why, "stopped", INTERRUPTED)
        is_ours = attempt.attempt_id in self._open
        longer_watch = self._watches.get(attempt.attempt_id)
        died_at = None
        if longer_watch is not None and is_ours and observation.owner_is_dead:
            died_at = longer_watch.died_at(watch.lease, watch.etag)
        return await self.close(folder, attempt, verdict, watch.lease, died_at)


def _done(result: ResultHead) -> Verdict:
    return Verdict(
        "close",
        "it has the result",
        "done",
        language=result.language,
        segments=result.segments,
    )
