"""Where money stands at a moment: counted, reserved, and held for what only a bill will tell."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from .billed import Billed, BilledDay
from .charges import UNALLOCATED
from .prices import NANODOLLAR
from .tally import Machine, Tally
from .unseen import Machines

Workers = Callable[[str], int | None]  # of a backend: at once, at most; None: nobody knows
_ZERO = Decimal(0)
_BILLED_WITHIN = timedelta(days=1)  # a bill that has not come by then may never come


@dataclass
class Sums:
    """USD of this day and this month (UTC), by tenant."""

    day: dict[str, Decimal] = field(default_factory=dict)
    month: dict[str, Decimal] = field(default_factory=dict)

    def add(self, day: date, today: date, tenant: str, usd: Decimal) -> None:
        """What belongs to a day; days that are yet to come count when they have."""
        if day > today:
            return
        if day == today:
            self.day[tenant] = self.day.get(tenant, _ZERO) + usd
        if (day.year, day.month) == (today.year, today.month):
            self.month[tenant] = self.month.get(tenant, _ZERO) + usd


@dataclass
class Spent:
    """What counts against limits.

    counted: as `budget_burn` has it. reserved: of attempts under way, for today. held: for workers
    that nobody saw, until the day's bill has come.
    """

    counted: Sums = field(default_factory=Sums)
    reserved: Sums = field(default_factory=Sums)
    held: Sums = field(default_factory=Sums)

    @property
    def day(self) -> dict[str, Decimal]:
        """All that counts against a day's limit, by tenant."""
        return _merged(self.counted.day, self.reserved.day, self.held.day)

    @property
    def month(self) -> dict[str, Decimal]:
        """The same of the month."""
        return _merged(self.counted.month, self.reserved.month, self.held.month)

    def of(self, scope: str) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Of 'all' or a tenant: counted today and this month; reserved and held of both."""
        counted, waiting = self.counted, (self.reserved, self.held)
        return (
            _of(scope, counted.day),
            _of(scope, counted.month),
            sum((_of(scope, one.day) for one in waiting), _ZERO),
            sum((_of(scope, one.month) for one in waiting), _ZERO),
        )

    def take_back(self, tenant: str, usd: Decimal) -> None:
        """A reservation of this moment that was refused."""
        for sums in (self.reserved.day, self.reserved.month):
            sums[tenant] -= usd


def counted(tally: Tally, bills: Mapping[BilledDay, Billed], today: date) -> Sums:
    """What was measured; where a bill tells of a whole day, its machines cost what it says.

    The difference is nobody's, and so is what is billed beside machines.
    """
    sums, measured = Sums(), defaultdict[BilledDay, int](int)
    for place, nano in tally.nano().items():
        measured[BilledDay(place.day, place.machine.backend)] += nano
    replaced = {of for of, bill in bills.items() if bill.replaces(measured.get(of, 0))}
    days = {of.day for of in replaced}
    for place, nano in tally.nano().items():
        if place.machine.backend or place.day not in days:  # earlier versions did not say whose
            sums.add(place.day, today, place.tenant, nano * NANODOLLAR)
    for of, bill in bills.items():
        more = bill.beside_nano
        if of in replaced:
            more += bill.machines_nano - measured.get(of, 0)
        if more:
            sums.add(of.day, today, UNALLOCATED, more * NANODOLLAR)
    return sums


def held(tally: Tally, bills: Mapping[BilledDay, Billed], today: date, workers: Workers) -> Sums:
    """For today and yesterday, as far as no bill tells of all of them."""
    sums = Sums()
    seen = defaultdict[tuple[date, Machine], int](int)
    for place, nano in tally.nano().items():
        seen[place.day, place.machine] += nano
    for (day, machine), unseen in tally.unseen.items():
        bill = bills.get(BilledDay(day, machine.backend))
        if day < today - _BILLED_WITHIN or (bill is not None and bill.is_whole):
            continue
        for tenant, usd in unseen.lost_usd.items():
            sums.add(day, today, tenant, usd)
        price = tally.lines.at(*machine, datetime.combine(day, time(), UTC))
        if price is not None and price.unit != "audio_minute":
            machines = Machines(price.usd_per_hour / 3600, workers(machine.backend))
            nano = unseen.workers_nano(machines, seen[day, machine])
            sums.add(day, today, UNALLOCATED, nano * NANODOLLAR)
    return sums


def _of(scope: str, sums: Mapping[str, Decimal]) -> Decimal:
    return sum(sums.values(), _ZERO) if scope == "all" else sums.get(scope, _ZERO)


def _merged(*sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for each in sums:
        for tenant, usd in each.items():
            found[tenant] = found.get(tenant, _ZERO) + usd
    return found
