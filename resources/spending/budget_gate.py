"""Budget limits, enforced before money is spent: reserve, sum up, withdraw if over the limit.

Each attempt writes its reservation before it sums up. Two concurrent runs therefore see each
other's reservations, and together never exceed a limit (docs/architecture.md).
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from escriba.billing.attempt_times import AttemptTimes
from escriba.billing.permissions import BudgetLeft, Permission, SpendLimits
from escriba.billing.price_book import PriceBook
from escriba.billing.shared_costs import SharedBy
from escriba.billing.spent_totals import Spent, WorkerLimits
from escriba.errors import OverBudgetError
from resources.storage.base import Storage
from resources.storage.clock import utc_now

from .reservations import Reservation, Spending

_FRESH_SECONDS = 60.0
_CLOCKS_APART = timedelta(minutes=10)  # around midnight, the limits of both days must allow it
_ADVICE = "No action is needed: it runs when the limit allows it. To run it now, raise the limit."


@dataclass(frozen=True, eq=False)
class _Asked:
    """A written reservation that waits for the next sum."""

    one: Reservation
    own: SpendLimits
    answer: asyncio.Future[OverBudgetError | None]


class Budget:
    """Enforces the limits of this installation, of each tenant and of each backend.

    now: decides days and months. clock: monotonic seconds. prices: for all counted time; without a
    price, an attempt counts at its recorded price. workers: the largest number of concurrent
    workers of a backend. shared_by: how tenants share billed costs beside machines.
    of_backends: USD per day (UTC) by backend; one that is missing has no limit of its own.
    """

    def __init__(  # noqa: PLR0913  # limits and their inputs, by name
        self,
        storage: Storage,
        limits: SpendLimits,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
        *,
        prices: PriceBook | None = None,
        workers: WorkerLimits = lambda _backend: None,
        shared_by: SharedBy = "apart",
        of_backends: Mapping[str, Decimal] | None = None,
    ) -> None:
        self._spending = Spending(storage, prices, workers, shared_by)
        self._limits, self._of_backends = limits, dict(of_backends or {})
        self._now, self._clock = now, clock
        self._last: tuple[float, list[Spent]] | None = None  # when it was asked for, by the clock
        self._looking, self._summing = asyncio.Lock(), asyncio.Lock()
        self._asked: list[_Asked] = []
        self._deciding: asyncio.Task[None] | None = None

    async def left(self, tenant: str, permission: Permission) -> list[BudgetLeft]:
        """What each limit on the tenant still allows, at most a minute old."""
        if not self._bind(permission):
            return []
        async with self._looking:  # a thousand jobs ask concurrently, and one sums up
            fresh = self._last is not None and self._clock() - self._last[0] < _FRESH_SECONDS
            spent = self._last[1] if self._last is not None and fresh else await self._sum()
        left = budget_left(spent, self._limits, tenant, permission.budget)
        return [*left, *backends_left(spent, self._of_backends)]

    async def reserve(self, one: Reservation, permission: Permission) -> None:
        """Write the reservation, and check it against the limits.

        Raises:
            OverBudgetError: it would exceed a limit; the reservation is withdrawn.
        """
        writing = asyncio.ensure_future(asyncio.to_thread(self._spending.reserve, one))
        held = one.usd and self._bind(permission)
        try:
            await asyncio.shield(writing)
            refused = await self._ask(one, permission.budget) if held else None
        except BaseException:
            await asyncio.shield(self._undo(writing, one))
            raise
        if refused is not None:
            raise refused

    async def _undo(self, writing: asyncio.Future[None], one: Reservation) -> None:
        """Wait for the writing thread, which cannot be stopped, and withdraw what it wrote."""
        await asyncio.wait([writing])
        await self.withdraw(one)

    async def withdraw(self, one: Reservation) -> None:
        """Remove a reservation that never started."""
        await asyncio.to_thread(self._spending.withdraw, one)

    async def settle(self, one: Reservation, times: AttemptTimes | None) -> None:
        """Replace the reservation by the attempt's real cost; None: it is free."""
        await asyncio.to_thread(self._spending.settle, one, times, self._now())

    def _bind(self, permission: Permission) -> bool:
        limits = (self._limits, permission.budget)
        common = any(one.day_usd is not None or one.month_usd is not None for one in limits)
        return common or bool(self._of_backends)

    async def _sum(self) -> list[Spent]:
        async with self._summing:
            asked_at = self._clock()
            spent = await asyncio.to_thread(self._spending.sums, self._now(), _CLOCKS_APART)
            self._last = asked_at, spent
            return spent

    async def _ask(self, one: Reservation, own: SpendLimits) -> OverBudgetError | None:
        """Reservations that are written during one sum share the next one."""
        asked = _Asked(one, own, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        if self._deciding is None or self._deciding.done():
            self._deciding = asyncio.create_task(self._decide())
        return await asked.answer

    async def _decide(self) -> None:
        while self._asked:
            batch, self._asked = self._asked, []
            waiting = [asked.answer for asked in batch]
            try:
                over = refused(batch, await self._sum(), self._limits, self._of_backends)
                await asyncio.gather(*(self.withdraw(asked.one) for asked in over))
            except Exception as error:  # noqa: BLE001  # every waiter hears of it
                for answer in _undone(waiting):
                    answer.set_exception(error)
            else:
                for asked, refusal in over.items():
                    if not asked.answer.done():
                        asked.answer.set_result(refusal)
                for answer in _undone(waiting):
                    answer.set_result(None)


def _undone(answers: Sequence[asyncio.Future[Any]]) -> list[asyncio.Future[Any]]:
    """The answers that still have a waiter, which may have been cancelled."""
    return [answer for answer in answers if not answer.done()]


def refused(
    batch: Sequence[_Asked],
    spent: Sequence[Spent],
    limits: SpendLimits,
    of_backends: Mapping[str, Decimal],
) -> dict[_Asked, OverBudgetError]:
    """The reservations of this process that do not fit, newest first; `spent` includes them all."""
    over: dict[_Asked, OverBudgetError] = {}
    for asked in reversed(batch):
        one = asked.one
        if asked.answer.done():  # cancelled, and withdrawn: it was in the sum or not
            continue
        left = budget_left(spent, limits, one.tenant, asked.own)
        left += [of for of in backends_left(spent, of_backends) if of.applies_to(one.backend)]
        passed = [limit for limit in left if limit.left_usd < 0]
        if passed:
            over[asked] = over_budget(passed[0], one.usd)
            for of_day in spent:
                of_day.cancel_reservation(one.tenant, one.usd, one.backend)
    return over


def budget_left(
    spent: Sequence[Spent], limits: SpendLimits, tenant: str, own: SpendLimits
) -> list[BudgetLeft]:
    """What each limit still allows, on the worst of the days; negative if it is exceeded."""
    by_day = [_left_today(one, limits, tenant, own) for one in spent]
    return [min(of, key=lambda left: left.left_usd) for of in zip(*by_day, strict=True)]


def backends_left(spent: Sequence[Spent], of_backends: Mapping[str, Decimal]) -> list[BudgetLeft]:
    """What the limit of each backend still allows, on the worst of the days."""
    return [
        BudgetLeft(
            limit=f"BACKEND_DAILY_LIMITS of {backend}",
            limit_usd=limit,
            left_usd=limit - max(one.of_backend.get(backend, Decimal(0)) for one in spent),
            backend=backend,
        )
        for backend, limit in of_backends.items()
    ]


def _left_today(
    spent: Spent, limits: SpendLimits, tenant: str, own: SpendLimits
) -> list[BudgetLeft]:
    everybody = (
        ("DAILY_COST_THRESHOLD", limits.day_usd, sum(spent.day.values(), Decimal(0))),
        ("MONTHLY_COST_THRESHOLD", limits.month_usd, sum(spent.month.values(), Decimal(0))),
        (f"the daily budget of {tenant}", own.day_usd, spent.day.get(tenant, Decimal(0))),
        (f"the monthly budget of {tenant}", own.month_usd, spent.month.get(tenant, Decimal(0))),
    )
    return [
        BudgetLeft(limit=name, limit_usd=limit, left_usd=limit - used)
        for name, limit, used in everybody
        if limit is not None
    ]


def over_budget(passed: BudgetLeft, needs_usd: Decimal) -> OverBudgetError:
    """The error for a recording that waits for its budget."""
    used = passed.limit_usd - passed.left_usd
    return OverBudgetError(
        f"{passed.limit} is {passed.limit_usd:.2f} USD; with the {needs_usd:.4f} USD of this "
        f"recording, {used:.2f} USD would be spent or reserved.",
        _ADVICE,
        needs_usd=needs_usd,
        backend=passed.backend,
    )
