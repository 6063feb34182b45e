"""The job engine: one job, from its order to its result, paid once. Knows no Dagster.

It follows `judge`; what it does itself is to choose, to submit, to wait and to write.
"""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime

from pipelines.billing.attempts import Attempt, AttemptEnd
from resources.failures import BackendUnavailableError, OverBudgetError, RecordingError
from resources.ledger_writer import LedgerWriter
from resources.spending import reservation_of

from .closing import Closing
from .fleet import Chosen, Fleet
from .following import Follower
from .job_folder import JobFolder, Submission, now
from .orders import Finished, Limits, Order, new_attempt, request_of, sized
from .paid_once import BACKEND_DOWN, EXPIRED, OUT_OF_TIME, computations, is_out_of_time

_MAX_FRUITLESS = 10  # in a row and in one run: nobody takes this job, and every try costs a start
_MAX_REFUSED = 100  # the same of one that is refused while others are taken; in an hour come 20
_BACKOFF_SECONDS, _BACKOFF_AT_MOST_SECONDS = 1.0, 60.0
_TRY_AGAIN_SECONDS = 10.0
_RACE_SECONDS = 3.0  # of two runs that reserved at once, one finds room a moment later


class JobEngine:
    """Runs orders on a fleet of backends; any number at once, in one event loop."""

    def __init__(  # noqa: PLR0913  # its tools, and its limits by name
        self,
        fleet: Fleet,
        ledger: LedgerWriter,
        *,
        max_attempts: int,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.fleet, self._budget = fleet, fleet.budget
        self._max_attempts, self._limits = max_attempts, limits
        self._sleep = sleep
        self.closing = Closing(fleet, ledger, clock)
        self.follower = Follower(fleet, self.closing, clock, sleep)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, order: Order) -> Finished:
        """Until there is a result; twins of one process wait for each other.

        Raises:
            RecordingError: the job failed for good, or `max_attempts` times.
            OverBudgetError: a limit on money would be passed.
            BackendUnavailableError: no job can run now.
        """
        folder, queued_at = order.folder, now()
        async with self._locks[f"{folder.tenant}/{folder.job}"]:
            earlier: list[Attempt] | None = None
            while True:
                result = await asyncio.to_thread(folder.result_head)
                attempts = await asyncio.to_thread(folder.attempts)
                earlier = attempts if earlier is None else earlier
                newest = attempts[-1] if attempts else None
                if result is not None:
                    closed = await self.closing.settle(folder, attempts, result)
                    return Finished(result, tuple(closed))
                if newest is not None and newest.end is None:
                    await self.follower.follow(order, newest)
                    continue
                self._may_go_on(order, attempts, earlier)
                await self._back_off(attempts[len(earlier) :])
                await self._attempt(order, attempts, queued_at)

    async def close(self) -> None:
        """End the backends' work and write the end of what was still open."""
        try:
            await self.fleet.close()
        finally:
            await self.closing.interrupted()

    def console_url(self, folder: JobFolder, attempt: Attempt) -> str:
        """Where people see the attempt at its provider; empty where there is no such page."""
        standing = self.fleet.of(attempt.backend, attempt.sku)
        submission = folder.submission(attempt.attempt) if standing else None
        return standing.backend.console_url(submission) if standing and submission else ""

    async def _attempt(self, order: Order, earlier: list[Attempt], queued_at: datetime) -> None:
        number = earlier[-1].attempt + 1 if earlier else 1
        stops = sum(1 for one in earlier if is_out_of_time(one))
        chosen = await self.fleet.choose(order, self._limits.run_seconds, stops)
        standing = chosen.standing
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(chosen.backend.room())
            except BackendUnavailableError as error:  # perhaps another one has room: choose again
                standing.door.failed(str(error), lasting=error.lasting)
                return
            is_probe = any(circuit.state.state != "well" for circuit in standing.circuits)
            if not standing.may_try():  # it went down while the job waited here: choose again
                await self._sleep(self.fleet.jittered(_TRY_AGAIN_SECONDS))
                return
            try:
                attempt = await self._begin(order, number, queued_at, chosen)
                if attempt is not None:
                    await self._hand_over(order, attempt, chosen)
            finally:
                if is_probe:
                    standing.abandoned()  # where it brought news already, this changes nothing

    async def _begin(
        self, order: Order, number: int, queued_at: datetime, chosen: Chosen
    ) -> Attempt | None:
        """Reserve, then create the attempt; None where another orchestrator was first.

        Whoever was second attaches to the other's attempt.
        """
        life = await asyncio.to_thread(order.folder.storage.address_life)
        limits = sized(self._limits, chosen, life)
        attempt = new_attempt(order, number, queued_at, chosen, limits)
        self.closing.price(attempt)  # unknown prices block before anything is spent
        await self._reserve(order, attempt)
        if not await asyncio.to_thread(order.folder.begin, attempt):
            await self._budget.withdraw(reservation_of(attempt))
            return None
        self.closing.begun(order.folder, attempt)
        return attempt

    async def _reserve(self, order: Order, attempt: Attempt) -> None:
        """Twice, since two runs that reserve at once may each see what the other withdraws."""
        one = reservation_of(attempt)
        try:
            await self._budget.reserve(one, order.permission)
        except OverBudgetError:
            await self._sleep(_RACE_SECONDS * self.fleet.dice.random())
            await self._budget.reserve(one, order.permission)

    async def _hand_over(self, order: Order, attempt: Attempt, chosen: Chosen) -> None:
        """Submit and follow; where it is refused, or nobody knows, it is buried.

        Where it had arrived all the same, and a worker has it already, it is followed too.
        """
        try:
            submission = await self._submit(order, attempt, chosen)
        except BackendUnavailableError as error:
            chosen.standing.door.failed(str(error), lasting=error.lasting)
            why = str(error)
            if not await self.closing.bury(order.folder, attempt, why, BACKEND_DOWN):
                await self.follower.follow(order, attempt)
        except RecordingError as error:  # this job does not fit this backend
            await self.closing.bury(order.folder, attempt, error.message, BACKEND_DOWN)
            raise
        else:
            await self.follower.follow(order, attempt, submission)

    async def _submit(self, order: Order, attempt: Attempt, chosen: Chosen) -> Submission:
        """The request is let go when it is handed over: while the job waits, nobody needs it."""
        request = await asyncio.to_thread(request_of, order, attempt)
        submission = await chosen.backend.submit(request, chosen.quote, order.progress)
        chosen.standing.door.succeeded()
        await asyncio.to_thread(order.folder.submitted, attempt.attempt, submission)
        return submission

    async def _back_off(self, attempts: list[Attempt]) -> None:
        """After a failure that may pass, jittered; what was lost or never begun goes on at once."""
        at_once = {EXPIRED, OUT_OF_TIME}
        failed = _in_a_row(attempts, lambda e: e.status == "failed" and e.error_type not in at_once)
        if failed:
            seconds = min(_BACKOFF_SECONDS * 2.0 ** (failed - 1), _BACKOFF_AT_MOST_SECONDS)
            await self._sleep(self.fleet.jittered(seconds))

    def _may_go_on(self, order: Order, attempts: list[Attempt], earlier: list[Attempt]) -> None:
        """Raises where one more attempt makes no sense; `earlier`: those before this run."""
        forgiven = earlier if order.retry else []
        last = attempts[-1].end if attempts else None
        if last is not None and last.permanent and len(attempts) > len(forgiven):
            raise RecordingError(last.error_type, last.error, "Upload the file again.")
        untaken, refused = (count(attempts[len(earlier) :]) for count in (_fruitless, _refused))
        if untaken >= _MAX_FRUITLESS or refused >= _MAX_REFUSED:
            said = last.error if last is not None else ""
            raise RecordingError(
                "not_taken",
                f"{max(untaken, refused)} attempts in a row were over before a worker took the "
                f"job; of the last: {said}.",
                f"Look at what {attempts[-1].backend} says; the next run tries again.",
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


def _fruitless(attempts: list[Attempt]) -> int:
    """How many in a row nobody took, or found their addresses expired.

    One that its backend refused is none: the fleet's patience ends a job that is refused by all.
    """
    taken = [one for one in attempts if one.end is None or one.end.error_type != BACKEND_DOWN]
    return _in_a_row(taken, lambda end: end.status == "buried" or end.error_type == EXPIRED)


def _refused(attempts: list[Attempt]) -> int:
    """How many in a row their backends refused."""
    return _in_a_row(attempts, lambda end: end.error_type == BACKEND_DOWN)


def _in_a_row(attempts: list[Attempt], is_such: Callable[[AttemptEnd], bool]) -> int:
    """How many of the last ones."""
    ends = (attempt.end for attempt in reversed(attempts) if attempt.end is not None)
    return sum(1 for _ in itertools.takewhile(is_such, ends))
