"""The end of an attempt: its rows in the ledger, its record, its provider, its money."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from gpu_job.contract import Claim
from pipelines.billing.attempts import Attempt, doubt_of, ledger_row
from pipelines.billing.prices import Tariff
from pipelines.billing.sessions import session_row
from pipelines.billing.spells import Spell, spell_of
from resources.ledger_writer import LedgerWriter
from resources.spending import reservation_of

from .fleet import Fleet
from .job_folder import JobFolder, ResultHead
from .orders import end_of
from .paid_once import BACKEND_DOWN, INTERRUPTED, Verdict, Watch, judge, sight_of

_LOG = logging.getLogger("escriba")


class Closing:
    """Closes attempts; knows which of them this process has open."""

    def __init__(self, fleet: Fleet, ledger: LedgerWriter, clock: Callable[[], float]) -> None:
        self._fleet, self._ledger, self._clock = fleet, ledger, clock
        self._open: dict[str, tuple[JobFolder, Attempt]] = {}
        self._watches: dict[str, Watch] = {}
        self._cancels = True

    def begun(self, folder: JobFolder, attempt: Attempt) -> None:
        """This process has it, until it is closed."""
        self._open[attempt.attempt_id] = (folder, attempt)

    def watched(self, attempt: Attempt, watch: Watch) -> None:
        """By whom it is looked at, who knows when its worker was heard last."""
        self._watches[attempt.attempt_id] = watch

    def price(self, attempt: Attempt) -> Tariff:
        """Of each second that it ran; one that is unknown when it is made blocks."""
        return self._fleet.prices.tariff(attempt.backend, attempt.sku, attempt.created_at)

    async def close(
        self,
        folder: JobFolder,
        attempt: Attempt,
        verdict: Verdict,
        claim: Claim | None,
        died: datetime | None = None,
    ) -> Attempt:
        """The rows first, then the end: an attempt with an end is in the ledger, always."""
        closed = attempt.model_copy(update={"end": end_of(attempt, verdict, claim, died)})
        price = self.price(attempt)
        if doubt := doubt_of(closed):
            _LOG.warning("%s", doubt)
        await self._ledger.add(ledger_row(closed, price), session_row(closed, price))
        await asyncio.to_thread(folder.close, closed)
        self._open.pop(attempt.attempt_id, None)
        self._watches.pop(attempt.attempt_id, None)
        await self.finish(folder, closed)
        return closed

    async def bury(
        self, folder: JobFolder, attempt: Attempt, why: str, error_type: str = ""
    ) -> Attempt | None:
        """Close an attempt that no worker can take any more; None where a worker was first."""
        if not await asyncio.to_thread(folder.bury, attempt.attempt):
            return None
        verdict = Verdict("close", why, "buried", error_type)
        return await self.close(folder, attempt, verdict, None)

    async def finish(self, folder: JobFolder, closed: Attempt) -> None:
        """What a closed attempt leaves to do; done twice, it changes nothing.

        A worker that was given up for lost may still compute somewhere, and one that never began
        may still wait in a queue: neither is worth paying for.
        """
        standing = self._fleet.of(closed.backend, closed.sku)
        may_go_on = closed.end is not None and closed.end.status in {"lost", "buried"}
        backend = standing.backend if standing is not None else None
        if backend is not None and backend.capabilities.paid and may_go_on and self._cancels:
            submission = await asyncio.to_thread(folder.submission, closed.attempt)
            if submission is not None:
                await backend.cancel(submission)
        await self._fleet.budget.settle(reservation_of(closed), self._spell(closed))

    def _spell(self, closed: Attempt) -> Spell | None:
        """What a limit must know of it; None where nobody pays, or its backend did not take it."""
        if not closed.quote_usd or (closed.end and closed.end.error_type == BACKEND_DOWN):
            return None
        price = self.price(closed)
        return spell_of(
            ledger_row(closed, price),
            session_row(closed, price),
            created_at=closed.created_at,
            reserved_usd=closed.quote_usd,
            overhead_usd=closed.overhead_usd,
        )

    async def settle(
        self, folder: JobFolder, attempts: list[Attempt], result: ResultHead
    ) -> list[Attempt]:
        """Its attempt is done, even where it was given up for lost; no other begins any more."""
        settled = []
        for attempt in attempts:
            done = attempt.end is not None and attempt.end.status == "done"
            if attempt.attempt == result.attempt and not done:
                verdict = _done(result)
                claim = Claim(nonce=result.nonce, state="done", usage=result.usage)
                settled.append(await self.close(folder, attempt, verdict, claim))
            elif attempt.end is None:
                settled.append(await self._overtaken(folder, attempt))
            else:
                settled.append(attempt)
        return settled

    async def interrupted(self) -> None:
        """The backends have ended, and cancelled what is ours: write the end of what is open."""
        self._cancels = False
        ends = (
            self._overtaken(folder, attempt, "the run was interrupted")
            for folder, attempt in list(self._open.values())
        )
        for end in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(end, Exception):  # what is left open is reconciled; the others are done
                _LOG.warning("An attempt could not be closed: %s", end)

    async def _overtaken(
        self, folder: JobFolder, attempt: Attempt, why: str = "another attempt's result stands"
    ) -> Attempt:
        """An open attempt that nobody waits for: closed where no worker has it any more."""
        buried = await self.bury(folder, attempt, why)
        return buried or await self._close_if_over(folder, attempt, why)

    async def _close_if_over(self, folder: JobFolder, attempt: Attempt, why: str) -> Attempt:
        """Close an attempt whose worker is certainly gone; any other is left as it is."""
        watch = Watch(self._clock)
        await asyncio.to_thread(folder.look_at_claim, attempt.attempt, watch)
        sight = sight_of(attempt, watch, submitted=True, final=False)
        result = await asyncio.to_thread(folder.result_head)
        verdict = judge(sight)
        if verdict.action != "close" or (result and result.attempt == attempt.attempt):
            return attempt  # the next run closes what is done
        if verdict.status == "lost":
            verdict = Verdict("close", why, "stopped", INTERRUPTED)
        mine = attempt.attempt_id in self._open
        eyes = self._watches.get(attempt.attempt_id)
        died = None
        if eyes is not None and mine and sight.owner_is_dead:
            died = eyes.died_at(watch.claim, watch.etag)
        return await self.close(folder, attempt, verdict, watch.claim, died)


def _done(result: ResultHead) -> Verdict:
    return Verdict(
        "close",
        "its result stands",
        "done",
        language=result.language,
        segments=result.segments,
    )
