"""The limits on money, held before it is spent: reserve, sum, withdraw when over.

Each attempt writes its reservation first and sums after that: of two runs that do so at the same
moment each sees the other's, so that together they never pass a limit (docs/architecture.md).
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelines.billing.policy import Left, Limits, Permission
from pipelines.billing.prices import PriceBook
from pipelines.billing.spells import Spell
from pipelines.billing.standing import Spent, Workers
from resources.failures import OverBudgetError

from .spending import Reservation, Spending
from .storage.base import Storage
from .storage.clock import utc_now

_FRESH_SECONDS = 60.0
_CLOCKS_APART = timedelta(minutes=10)  # around midnight both days must have room
_ADVICE = "Nothing is to be done: it is taken up when the limit allows it; or raise the limit."


@dataclass(frozen=True, eq=False)
class _Asked:
    """A reservation that is written and waits for the next sum."""

    one: Reservation
    own: Limits
    answer: asyncio.Future[OverBudgetError | None]


class Budget:
    """Holds the limits of everybody and of each tenant.

    now: whose days and months count. clock: seconds that only grow. prices: of what is counted;
    without one each attempt counts with the price that was written down with it. workers: of a
    backend, at once and at most.
    """

    def __init__(  # noqa: PLR0913  # what it holds against what, by name
        self,
        storage: Storage,
        limits: Limits,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
        *,
        prices: PriceBook | None = None,
        workers: Workers = lambda _backend: None,
    ) -> None:
        self._spending, self._limits = Spending(storage, prices, workers), limits
        self._now, self._clock = now, clock
        self._last: tuple[float, list[Spent]] | None = None  # when it was asked for, by the clock
        self._looking, self._summing = asyncio.Lock(), asyncio.Lock()
        self._asked: list[_Asked] = []
        self._deciding: asyncio.Task[None] | None = None

    async def left(self, tenant: str, permission: Permission) -> list[Left]:
        """Under each limit that binds the tenant, as the bucket was a minute ago at most."""
        if not self._bind(permission):
            return []
        async with self._looking:  # a thousand jobs ask at once, and one looks
            fresh = self._last is not None and self._clock() - self._last[0] < _FRESH_SECONDS
            spent = self._last[1] if self._last is not None and fresh else await self._sum()
        return lefts(spent, self._limits, tenant, permission.budget)

    async def reserve(self, one: Reservation, permission: Permission) -> None:
        """Write the reservation, and hold it against the limits.

        Raises:
            OverBudgetError: a limit would be passed; nothing stays written.
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
        """A thread cannot be stopped: what it writes is taken back once it is written."""
        await asyncio.wait([writing])
        await self.withdraw(one)

    async def withdraw(self, one: Reservation) -> None:
        """It was never begun."""
        await asyncio.to_thread(self._spending.withdraw, one)

    async def settle(self, one: Reservation, spell: Spell | None) -> None:
        """What came of the attempt; None where nobody is paid for it."""
        await asyncio.to_thread(self._spending.settle, one, spell, self._now())

    def _bind(self, permission: Permission) -> bool:
        limits = (self._limits, permission.budget)
        return any(one.day_usd is not None or one.month_usd is not None for one in limits)

    async def _sum(self) -> list[Spent]:
        async with self._summing:
            asked_at = self._clock()
            spent = await asyncio.to_thread(self._spending.sums, self._now(), _CLOCKS_APART)
            self._last = asked_at, spent
            return spent

    async def _ask(self, one: Reservation, own: Limits) -> OverBudgetError | None:
        """All that is written while one sum is being made shares the next one."""
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
                over = refused(batch, await self._sum(), self._limits)
                await asyncio.gather(*(self.withdraw(asked.one) for asked in over))
            except Exception as error:  # noqa: BLE001  # every waiter hears of it
                for answer in _undone(waiting):
                    answer.set_exception(error)
            else:
                for asked, error in over.items():
                    if not asked.answer.done():
                        asked.answer.set_result(error)
                for answer in _undone(waiting):
                    answer.set_result(None)


def _undone(answers: Sequence[asyncio.Future[Any]]) -> list[asyncio.Future[Any]]:
    """Who waited may have been cancelled."""
    return [answer for answer in answers if not answer.done()]


def refused(
    batch: Sequence[_Asked], spent: Sequence[Spent], limits: Limits
) -> dict[_Asked, OverBudgetError]:
    """Those of one process that do not fit, the last ones first; `spent` has all of them in it."""
    over: dict[_Asked, OverBudgetError] = {}
    for asked in reversed(batch):
        one = asked.one
        if asked.answer.done():  # cancelled, and withdrawn: it was in the sum or not
            continue
        passed = [p for p in lefts(spent, limits, one.tenant, asked.own) if p.left_usd < 0]
        if passed:
            over[asked] = over_budget(passed[0], one.usd)
            for of_day in spent:
                of_day.take_back(one.tenant, one.usd)
    return over


def lefts(spent: Sequence[Spent], limits: Limits, tenant: str, own: Limits) -> list[Left]:
    """What each limit still allows, on the worse of days; below zero where it is passed."""
    by_day = [_lefts(one, limits, tenant, own) for one in spent]
    return [min(of, key=lambda left: left.left_usd) for of in zip(*by_day, strict=True)]


def _lefts(spent: Spent, limits: Limits, tenant: str, own: Limits) -> list[Left]:
    everybody = (
        ("DAILY_COST_THRESHOLD", limits.day_usd, sum(spent.day.values(), Decimal(0))),
        ("MONTHLY_COST_THRESHOLD", limits.month_usd, sum(spent.month.values(), Decimal(0))),
        (f"the daily budget of {tenant}", own.day_usd, spent.day.get(tenant, Decimal(0))),
        (f"the monthly budget of {tenant}", own.month_usd, spent.month.get(tenant, Decimal(0))),
    )
    return [
        Left(limit=name, limit_usd=limit, left_usd=limit - used)
        for name, limit, used in everybody
        if limit is not None
    ]


def over_budget(passed: Left, needs_usd: Decimal) -> OverBudgetError:
    """What to tell of a recording that waits for money."""
    used = passed.limit_usd - passed.left_usd
    return OverBudgetError(
        f"{passed.limit} is {passed.limit_usd:.2f} USD, and {used:.2f} would be spent or reserved "
        f"with the {needs_usd:.4f} of this recording.",
        _ADVICE,
        needs_usd=needs_usd,
    )
