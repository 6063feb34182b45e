"""Two gates before the money of a simulated night: the real one, and the rule it had before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from obstore.store import MemoryStore

from escriba.billing.attempt_times import AttemptTimes
from escriba.billing.permissions import Permission, SpendLimits
from escriba.billing.price_book import Price, PriceBook
from escriba.billing.quote_ceiling import with_ceiling
from escriba.billing.quotes import Capabilities, Quote
from escriba.errors import OverBudgetError
from resources.spending.budget_gate import Budget
from resources.spending.reservations import Reservation
from resources.storage.faults import Faults
from resources.storage.objects import ObjectStorage

EVERYTHING = Permission()
LONGEST_RUN_SECONDS = 7_200


class Gate(Protocol):
    """What a machine asks before it spends."""

    def quote(self, planned: Quote, price: Price, can: Capabilities, stops: int) -> Quote:
        """With what it reserves, and how long the attempt may run then."""
        ...

    async def reserve(self, one: Reservation) -> bool:
        """Whether it may begin."""
        ...

    async def settle(self, one: Reservation, spell: AttemptTimes) -> None:
        """It is over."""
        ...

    async def left(self) -> Decimal:
        """Of the day's limit."""
        ...


class RealGate:
    """Escriba's own, on a bucket that machines share."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def quote(self, planned: Quote, price: Price, can: Capabilities, stops: int) -> Quote:
        """With its ceiling."""
        return with_ceiling(planned, price, can, LONGEST_RUN_SECONDS, stops)

    async def reserve(self, one: Reservation) -> bool:
        """In the bucket, and held against the limit."""
        try:
            await self._budget.reserve(one, EVERYTHING)
        except OverBudgetError:
            return False
        return True

    async def settle(self, one: Reservation, spell: AttemptTimes) -> None:
        """In the bucket."""
        await self._budget.settle(one, spell)

    async def left(self) -> Decimal:
        """As the bucket was a minute ago at most."""
        [left] = await self._budget.left("acme", EVERYTHING)
        return left.left_usd


@dataclass
class OldGate:
    """As it was: a start and an expected run reserved, the run settled, four times as long."""

    limit: Decimal
    now: Callable[[], datetime]
    _open: dict[str, Decimal] = field(default_factory=dict)
    _spent: list[tuple[datetime, Decimal]] = field(default_factory=list)

    def quote(self, planned: Quote, price: Price, can: Capabilities, stops: int) -> Quote:  # noqa: ARG002
        """What is expected, and a limit far above it."""
        limit = min(LONGEST_RUN_SECONDS, round(600 + 4 * planned.run_seconds))
        return replace(planned, run_limit_seconds=limit)

    async def reserve(self, one: Reservation) -> bool:
        """One after another: it never lost a race here."""
        if await self.left() < one.usd:
            return False
        self._open[one.id] = one.usd
        return True

    async def settle(self, one: Reservation, spell: AttemptTimes) -> None:
        """The run alone."""
        """The run alone."""
        self._open.pop(one.id, None)
        self._spent.append((self.now(), spell.run_usd))

    async def left(self) -> Decimal:
        """Without boots and idle workers."""
        spent = (usd for at, usd in self._spent if at.date() == self.now().date())
        return self.limit - sum(self._open.values(), sum(spent, Decimal(0)))


def real_gate(
    storage: ObjectStorage,
    limit: Decimal,
    price: Price,
    workers: int,
    time: tuple[Callable[[], datetime], Callable[[], float]],
) -> RealGate:
    """One machine's, that knows nothing but the bucket yet; with its clocks."""
    book, day = PriceBook((price,)), SpendLimits(day_usd=limit)
    return RealGate(Budget(storage, day, *time, prices=book, workers=lambda _: workers))


class MemoryBucket(ObjectStorage):
    """A bucket in memory, through the same adapter as the clouds' stores."""

    def __init__(self) -> None:
        store: Any = MemoryStore()
        super().__init__("memory://", lambda _: store, Faults((), "", ""))

    def _list_any_key(self, prefix: str, after: str) -> Any:  # noqa: ANN401
        raise NotImplementedError("every key here is one that obstore can parse")

    def _sign(self, method: Any, key: str, life: Any, headers: Mapping[str, str]) -> str:  # noqa: ANN401
        raise NotImplementedError("no process outside reaches it")

    def _longest(self) -> Any:  # noqa: ANN401
        raise NotImplementedError("no process outside reaches it")
