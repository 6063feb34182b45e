"""The job engine: one job, from its order to its result, paid once. Knows no Dagster.

It follows `judge`; what it does itself is to look, to wait and to write.
"""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Any

from gpu_job.contract import Claim
from gpu_job.place import is_known_dead
from pipelines.billing.attempts import Attempt, ledger_row
from pipelines.billing.prices import Price, PriceBook
from resources.failures import RecordingError
from resources.ledger import LedgerWriter

from .base import Backend
from .job_folder import ResultHead, Submission, now
from .orders import Finished, Order, Watch, end_of, new_attempt, request_of
from .paid_once import INTERRUPTED, Sight, Verdict, computations, judge

_LOOK_SECONDS = 2.0
_LOOK_AT_MOST_SECONDS = 15.0  # half of a beat: a thousand jobs that wait are 70 looks a second
_LOOK_GROWTH = 1.25
_MAX_BURIED = 10  # in a row and in one run: nobody takes this job, and every try costs a start


class JobEngine:
    """Runs orders on a backend; any number at once, in one event loop."""

    def __init__(  # noqa: PLR0913  # its tools, and its limits by name
        self,
        backend: Backend,
        ledger: LedgerWriter,
        prices: PriceBook,
        *,
        max_attempts: int,
        run_limit_seconds: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._backend, self._ledger, self._prices = backend, ledger, prices
        self._max_attempts, self._run_limit = max_attempts, run_limit_seconds
        self._clock, self._sleep = clock, sleep
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._open: dict[str, tuple[Order, Attempt]] = {}

    async def run(self, order: Order) -> Finished:
        """Until there is a result; twins of one process wait for each other.

        Raises:
            RecordingError: the job failed for good, or `max_attempts` times.
            BackendUnavailableError: no job can run now.
        """
        folder, queued_at = order.folder, now()
        async with self._locks[f"{folder.tenant}/{folder.job}"]:
            earlier = await _in_thread(folder.attempts)
            while True:
                result = await _in_thread(folder.result_head)
                attempts = await _in_thread(folder.attempts)
                newest = attempts[-1] if attempts else None
                if result is not None:
                    closed = await self._settle(order, attempts, result)
                    return Finished(result, tuple(closed))
                if newest is not None and newest.end is None:
                    await self._follow(order, newest)
                    continue
                self._may_go_on(order, attempts, earlier)
                number = newest.attempt + 1 if newest else 1
                await self._attempt(order, number, queued_at)

    async def close(self) -> None:
        """End the backend's work and write the end of what was still open."""
        await self._backend.close()
        for order, attempt in list(self._open.values()):
            await self._close_if_over(order, attempt, "the run was interrupted")

    async def _attempt(self, order: Order, number: int, queued_at: datetime) -> None:
        async with self._backend.room():
            attempt = new_attempt(order, number, queued_at, self._backend, self._run_limit)
            self._price(attempt)  # unknown prices block before anything is spent
            if not await _in_thread(order.folder.begin, attempt):
                return  # another orchestrator was first: attach to its attempt
            self._open[attempt.attempt_id] = (order, attempt)
            submission = await self._submit(order, attempt)
            await _in_thread(order.folder.submitted, number, submission)
            await self._follow(order, attempt, submission)

    async def _submit(self, order: Order, attempt: Attempt) -> Submission:
        """The request is let go when it is handed over: while the job waits, nobody needs it."""
        request = await _in_thread(request_of, order, attempt)
        return await self._backend.submit(request, order.progress)

    async def _follow(
        self, order: Order, attempt: Attempt, submission: Submission | None = None
    ) -> None:
        """Until there is a result, or the attempt is closed."""
        watch, mine = Watch(self._clock), submission is not None
        for wait_seconds in _waits():
            if submission is None:
                submission = await _in_thread(order.folder.submission, attempt.attempt)
            final = await self._backend.poll(submission, wait_seconds)
            claim = await self._look(order, attempt, watch)
            verdict = judge(self._sight(attempt, claim, watch, submission, final=final))
            # looked at last: a worker writes its result before it says done, or dies
            if await _in_thread(order.folder.has_result):
                if mine and not final:  # a moment more, so that its worker is free again
                    await self._backend.poll(submission, _LOOK_SECONDS)
                return
            if verdict.action == "close":
                died = now() if mine and verdict.status == "lost" else None
                await self._close(order, attempt, verdict, claim, died)
                return
            if verdict.action == "bury" and await _in_thread(order.folder.bury, attempt.attempt):
                await self._close(order, attempt, Verdict("close", verdict.reason, "buried"), None)
                return
            if mine and submission and watch.run_seconds > self._run_limit:
                await self._backend.cancel(submission)
            if final and mine and claim is not None and claim.state == "running":
                await self._backend.cancel(submission)  # it gave up and cannot say so
            if final:
                await self._sleep(_LOOK_SECONDS)  # a backend that is done waits for nothing

    async def _look(self, order: Order, attempt: Attempt, watch: Watch) -> Claim | None:
        seen = await _in_thread(order.folder.claim, attempt.attempt)
        if seen is None:
            return None
        watch.see(seen[1])
        return seen[0]

    def _sight(
        self,
        attempt: Attempt,
        claim: Claim | None,
        watch: Watch,
        submission: Submission | None,
        *,
        final: bool,
    ) -> Sight:
        owner = claim.usage.place if claim and claim.usage else None
        return Sight(
            attempt=attempt,
            claim=claim,
            submitted=submission is not None,
            provider_is_final=final,
            watched_seconds=self._clock() - watch.since,
            unchanged_seconds=self._clock() - watch.changed,
            owner_is_dead=owner is not None and is_known_dead(owner),
            creator_is_dead=is_known_dead(attempt.creator),
        )

    async def _settle(
        self, order: Order, attempts: list[Attempt], result: ResultHead
    ) -> list[Attempt]:
        """Its attempt is done, even where it was given up for lost; no other begins any more."""
        settled = []
        for attempt in attempts:
            done = attempt.end is not None and attempt.end.status == "done"
            if attempt.attempt == result.attempt and not done:
                verdict = Verdict("close", "its result stands", "done")
                claim = Claim(nonce=result.nonce, state="done", usage=result.usage)
                settled.append(await self._close(order, attempt, verdict, claim))
            elif attempt.end is None:
                settled.append(await self._overtaken(order, attempt))
            else:
                settled.append(attempt)
        return settled

    async def _overtaken(self, order: Order, attempt: Attempt) -> Attempt:
        """An open attempt of a job that has its result from another one."""
        why = "another attempt's result stands"
        if await _in_thread(order.folder.bury, attempt.attempt):
            return await self._close(order, attempt, Verdict("close", why, "buried"), None)
        return await self._close_if_over(order, attempt, why)

    async def _close_if_over(self, order: Order, attempt: Attempt, why: str) -> Attempt:
        """Close an attempt whose worker is certainly gone; any other is left as it is."""
        watch = Watch(self._clock)
        claim = await self._look(order, attempt, watch)
        sight = self._sight(attempt, claim, watch, None, final=False)
        result = await _in_thread(order.folder.result_head)
        verdict = judge(sight)
        if verdict.action != "close" or (result and result.attempt == attempt.attempt):
            return attempt  # the next run closes what is done
        if verdict.status == "lost":
            verdict = Verdict("close", why, "stopped", INTERRUPTED)
        mine = attempt.attempt_id in self._open
        died = now() if mine and sight.owner_is_dead else None
        return await self._close(order, attempt, verdict, claim, died)

    async def _close(
        self,
        order: Order,
        attempt: Attempt,
        verdict: Verdict,
        claim: Claim | None,
        died: datetime | None = None,
    ) -> Attempt:
        """The row first, then the end: an attempt with an end is in the ledger, always."""
        closed = attempt.model_copy(update={"end": end_of(verdict, claim, died)})
        await self._ledger.add(ledger_row(closed, self._price(attempt)))
        await _in_thread(order.folder.close, closed)
        self._open.pop(attempt.attempt_id, None)
        return closed

    def _price(self, attempt: Attempt) -> Price:
        return self._prices.at(attempt.backend, attempt.sku, attempt.created_at)

    def _may_go_on(self, order: Order, attempts: list[Attempt], earlier: list[Attempt]) -> None:
        """Raises where one more attempt makes no sense; `earlier`: those before this run."""
        forgiven = earlier if order.retry else []
        last = attempts[-1].end if attempts else None
        if last is not None and last.permanent and len(attempts) > len(forgiven):
            raise RecordingError(last.error_type, last.error, "Upload the file again.")
        if _buried_in_a_row(attempts[len(earlier) :]) >= _MAX_BURIED:
            raise RecordingError(
                "not_taken",
                f"{_MAX_BURIED} attempts in a row were over before a worker took the job.",
                f"Look at what {self._backend.name} says; the next run tries again.",
                permanent=False,
            )
        if computations(attempts) - computations(forgiven) < self._max_attempts:
            return
        ends = [a.end for a in attempts if a.end is not None]
        history = "; ".join(f"{i}: {e.status} ({e.error})" for i, e in enumerate(ends, start=1))
        raise RecordingError(
            "attempts_exhausted",
            f"{len(attempts)} attempts ended without a result: {history}.",
            "Look at the history, then `escriba retry` allows as many again.",
        )


def _waits() -> Iterator[float]:
    """Seconds between looks: often while an attempt begins, then seldom."""
    seconds = _LOOK_SECONDS
    while True:
        yield seconds
        seconds = min(seconds * _LOOK_GROWTH, _LOOK_AT_MOST_SECONDS)


def _buried_in_a_row(attempts: list[Attempt]) -> int:
    ends = (attempt.end.status for attempt in reversed(attempts) if attempt.end is not None)
    return sum(1 for _ in itertools.takewhile(lambda status: status == "buried", ends))


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401  # passes through
    return await asyncio.to_thread(function, *arguments)
