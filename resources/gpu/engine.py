"""The job engine: takes one job from its order to its result, idempotently. Independent of Dagster.

It acts on the verdicts of `judge`: it chooses a backend, submits, waits and records.
"""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime

from escriba.billing.attempts import Attempt, AttemptEnd
from escriba.errors import BackendUnavailableError, OverBudgetError, RecordingError
from resources.ledger.writer import LedgerWriter
from resources.spending.reservations import reservation_of

from .backend import slot_for
from .backend_state import ChosenBackend
from .close_attempts import AttemptCloser
from .fleet import Fleet
from .follow_attempts import AttemptFollower
from .idempotency import (
    BACKEND_DOWN,
    EXPIRED,
    OUT_OF_TIME,
    QUEUE_LIMIT,
    counted_attempts,
    is_out_of_time,
)
from .job_folder import JobFolder, Submission, now
from .job_orders import AttemptLimits, FinishedJob, JobOrder, limits_of, new_attempt, request_of

_MAX_NEVER_STARTED = 10  # in a row and in one run: no worker starts it, and each try costs a start
_MAX_REFUSED = 100  # in a row, while other jobs are accepted; about 20 happen in an hour
_BACKOFF_SECONDS, _BACKOFF_AT_MOST_SECONDS = 1.0, 60.0
_TRY_AGAIN_SECONDS = 10.0
_RACE_SECONDS = 3.0  # of two runs that reserve concurrently, one fits a moment later


class JobEngine:
    """Runs orders on a fleet of backends; any number concurrently, in one event loop."""

    def __init__(  # noqa: PLR0913  # its collaborators, and its limits by name
        self,
        fleet: Fleet,
        ledger: LedgerWriter,
        *,
        max_attempts: int,
        limits: AttemptLimits,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.fleet, self._budget = fleet, fleet.budget
        self._max_attempts, self._limits = max_attempts, limits
        self._sleep = sleep
        self.closing = AttemptCloser(fleet, ledger, clock)
        self.follower = AttemptFollower(fleet, self.closing, clock, sleep)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, order: JobOrder) -> FinishedJob:
        """Run attempts until there is a result; orders for the same job wait for each other.

        Raises:
            RecordingError: the job failed permanently, or `max_attempts` times.
            OverBudgetError: the attempt would exceed a budget limit.
            BackendUnavailableError: no backend can run it now.
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
                    return FinishedJob(result, tuple(closed))
                if newest is not None and newest.end is None:
                    await self.follower.follow(order, newest)
                    continue
                self._check_may_continue(order, attempts, earlier)
                await self._back_off(attempts[len(earlier) :])
                await self._attempt(order, attempts, queued_at)

    async def close(self) -> None:
        """Stop the backends' work and record the end of every open attempt."""
        try:
            await self.fleet.close()
        finally:
            await self.closing.interrupted()

    def console_url(self, folder: JobFolder, attempt: Attempt) -> str:
        """The attempt's page at its provider; empty if there is none."""
        state = self.fleet.of(attempt.backend, attempt.sku)
        submission = folder.submission(attempt.attempt) if state else None
        return state.backend.console_url(submission) if state and submission else ""

    async def _attempt(self, order: JobOrder, earlier: list[Attempt], queued_at: datetime) -> None:
        number = earlier[-1].attempt + 1 if earlier else 1
        stops = sum(1 for one in earlier if is_out_of_time(one))
        avoided = frozenset(
            (one.backend, one.sku)
            for one in earlier
            if one.created_at >= queued_at and one.end and one.end.error_type == QUEUE_LIMIT
        )
        chosen = await self.fleet.choose(order, self._limits.run_seconds, stops, avoided)
        state = chosen.state
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(slot_for(chosen.backend, order.size))
            except BackendUnavailableError as error:  # another one may have a slot: choose again
                state.submissions.failed(str(error), lasting=error.lasting)
                return
            is_probe = any(circuit.state.state != "well" for circuit in state.circuits)
            if not state.may_try():  # it went down while the job waited: choose again
                await self._sleep(self.fleet.jittered(_TRY_AGAIN_SECONDS))
                return
            try:
                attempt = await self._begin(order, number, queued_at, chosen)
                if attempt is not None:
                    await self._hand_over(order, attempt, chosen)
            finally:
                if is_probe:
                    state.abandoned()  # does nothing if the probe has reported already

    async def _begin(
        self, order: JobOrder, number: int, queued_at: datetime, chosen: ChosenBackend
    ) -> Attempt | None:
        """Reserve, then create the attempt.

        None if another orchestrator was first, whose attempt is then followed, or if the backend's
        own limit was used up meanwhile: the next choice leaves it out.
        """
        life = await asyncio.to_thread(order.folder.storage.address_life)
        limits = limits_of(self._limits, chosen, life)
        attempt = new_attempt(order, number, queued_at, chosen, limits)
        self.closing.price(attempt)  # an unknown price fails here, before anything is spent
        try:
            await self._reserve(order, attempt)
        except OverBudgetError as error:
            if error.backend:
                return None
            raise
        if not await asyncio.to_thread(order.folder.begin, attempt):
            await self._budget.withdraw(reservation_of(attempt))
            return None
        self.closing.begun(order.folder, attempt)
        return attempt

    async def _reserve(self, order: JobOrder, attempt: Attempt) -> None:
        """Try twice: two runs that reserve concurrently may each see what the other withdraws."""
        one = reservation_of(attempt)
        try:
            await self._budget.reserve(one, order.permission)
        except OverBudgetError:
            await self._sleep(_RACE_SECONDS * self.fleet.dice.random())
            await self._budget.reserve(one, order.permission)

    async def _hand_over(self, order: JobOrder, attempt: Attempt, chosen: ChosenBackend) -> None:
        """Submit and follow; abandon it if the submission was refused or its outcome is unknown.

        If it had arrived anyway and a worker has the lease, follow it too.
        """
        try:
            submission = await self._submit(order, attempt, chosen)
        except BackendUnavailableError as error:
            chosen.state.submissions.failed(str(error), lasting=error.lasting)
            why = str(error)
            if not await self.closing.abandon(order.folder, attempt, why, BACKEND_DOWN):
                await self.follower.follow(order, attempt)
        except RecordingError as error:  # this backend cannot take this job
            await self.closing.abandon(order.folder, attempt, error.message, BACKEND_DOWN)
            raise
        else:
            await self.follower.follow(order, attempt, submission)

    async def _submit(self, order: JobOrder, attempt: Attempt, chosen: ChosenBackend) -> Submission:
        """The request is not kept after the submission, since a waiting job does not need it."""
        request = await asyncio.to_thread(request_of, order, attempt)
        submission = await chosen.backend.submit(request, chosen.quote, order.progress)
        chosen.state.submissions.succeeded()
        await asyncio.to_thread(order.folder.submitted, attempt.attempt, submission)
        return submission

    async def _back_off(self, attempts: list[Attempt]) -> None:
        """Wait, with jitter, after transient failures; lost or never started ones do not wait."""
        immediate = {EXPIRED, OUT_OF_TIME}
        failed = _in_a_row(
            attempts, lambda end: end.status == "failed" and end.error_type not in immediate
        )
        if failed:
            seconds = min(_BACKOFF_SECONDS * 2.0 ** (failed - 1), _BACKOFF_AT_MOST_SECONDS)
            await self._sleep(self.fleet.jittered(seconds))

    def _check_may_continue(
        self, order: JobOrder, attempts: list[Attempt], earlier: list[Attempt]
    ) -> None:
        """Raise if another attempt makes no sense. earlier: the attempts before this run."""
        forgiven = earlier if order.retry else []
        last = attempts[-1].end if attempts else None
        if last is not None and last.permanent and len(attempts) > len(forgiven):
            raise RecordingError(last.error_type, last.error, "Upload the file again.")
        _check_starts(attempts, attempts[len(earlier) :])
        if counted_attempts(attempts) - counted_attempts(forgiven) < self._max_attempts:
            return
        ends = [a.end for a in attempts if a.end is not None]
        history = "; ".join(f"{i}: {e.status} ({e.error})" for i, e in enumerate(ends, start=1))
        raise RecordingError(
            "attempts_exhausted",
            f"{len(attempts)} attempts ended without a result: {history}.",
            "Read the history, then run `escriba retry`, which allows as many attempts again.",
        )


def _check_starts(attempts: list[Attempt], of_this_run: list[Attempt]) -> None:
    """Raise if too many attempts in a row ended before a worker started them."""
    count = max(never_started := _never_started(of_this_run), refused := _refused(of_this_run))
    if never_started < _MAX_NEVER_STARTED and refused < _MAX_REFUSED:
        return
    last = attempts[-1].end
    raise RecordingError(
        "not_taken",
        f"{count} attempts in a row ended before a worker started the job. Last error: "
        f"{last.error if last is not None else ''}.",
        f"Check the backend {attempts[-1].backend}; the next run tries again.",
        permanent=False,
    )


def _never_started(attempts: list[Attempt]) -> int:
    """How many in a row never started, or found their addresses expired.

    Attempts that a backend refused do not count: the fleet gives up on a job that all refuse.
    """
    accepted = [one for one in attempts if one.end is None or one.end.error_type != BACKEND_DOWN]
    return _in_a_row(accepted, lambda end: end.status == "buried" or end.error_type == EXPIRED)


def _refused(attempts: list[Attempt]) -> int:
    """How many in a row a backend refused."""
    return _in_a_row(attempts, lambda end: end.error_type == BACKEND_DOWN)


def _in_a_row(attempts: list[Attempt], matches: Callable[[AttemptEnd], bool]) -> int:
    """How many of the newest ends match, without a gap."""
    ends = (attempt.end for attempt in reversed(attempts) if attempt.end is not None)
    return sum(1 for _ in itertools.takewhile(matches, ends))
