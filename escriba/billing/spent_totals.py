"""Spending at a moment: counted, reserved, and held until the bill arrives."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from .billed_days import Billed, BilledDay
from .cost_count import CostCount, PaidMachine
from .price_book import NANODOLLAR
from .run_charges import UNALLOCATED
from .shared_costs import SharedBy, allocated_parts, at_least, weights_of
from .unmeasured_time import WorkerPrice

WorkerLimits = Callable[[str], int | None]  # concurrent workers of a backend; None: unknown
_ZERO = Decimal(0)
_BILLED_WITHIN = timedelta(days=1)  # after this, a bill may never arrive


@dataclass
class Sums:
    """USD of the current day and month (UTC), by tenant; of the day also by backend."""

    day: dict[str, Decimal] = field(default_factory=dict)
    month: dict[str, Decimal] = field(default_factory=dict)
    of_backend: dict[str, Decimal] = field(default_factory=dict)

    def add(self, day: date, today: date, tenant: str, usd: Decimal, backend: str = "") -> None:
        """Add an amount of a day; future days do not count yet. backend: empty: unknown."""
        if day > today:
            return
        if day == today:
            self.day[tenant] = self.day.get(tenant, _ZERO) + usd
            self.of_backend[backend] = self.of_backend.get(backend, _ZERO) + usd
        if (day.year, day.month) == (today.year, today.month):
            self.month[tenant] = self.month.get(tenant, _ZERO) + usd


@dataclass
class Spent:
    """What counts against the limits.

    counted: as in `budget_burn`. reserved: for running attempts, today. held: for workers that
    left no ledger row, until the day's bill arrives.
    """

    counted: Sums = field(default_factory=Sums)
    reserved: Sums = field(default_factory=Sums)
    held: Sums = field(default_factory=Sums)

    @property
    def day(self) -> dict[str, Decimal]:
        """What counts against the daily limit, by tenant."""
        return _merged(self.counted.day, self.reserved.day, self.held.day)

    @property
    def month(self) -> dict[str, Decimal]:
        """What counts against the monthly limit, by tenant."""
        return _merged(self.counted.month, self.reserved.month, self.held.month)

    @property
    def of_backend(self) -> dict[str, Decimal]:
        """What counts against the daily limit of each backend."""
        parts = (self.counted, self.reserved, self.held)
        return _merged(*(one.of_backend for one in parts))

    def of(self, scope: str) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """For 'all' or a tenant: counted today and this month, then reserved and held of both."""
        counted, waiting = self.counted, (self.reserved, self.held)
        return (
            _of(scope, counted.day),
            _of(scope, counted.month),
            sum((_of(scope, one.day) for one in waiting), _ZERO),
            sum((_of(scope, one.month) for one in waiting), _ZERO),
        )

    def cancel_reservation(self, tenant: str, usd: Decimal, backend: str = "") -> None:
        """Undo a reservation that was refused."""
        for sums in (self.reserved.day, self.reserved.month):
            sums[tenant] -= usd
        self.reserved.of_backend[backend] -= usd


def counted(
    tally: CostCount,
    bills: Mapping[BilledDay, Billed],
    today: date,
    shared_by: SharedBy = "apart",
) -> Sums:
    """Measured costs; on days with a complete bill, compute costs what the bill says.

    The difference is unallocated; shared_by allocates costs other than compute, which are those
    of the bill, or as long as the bill is not complete, the measured add-ons if they are higher.
    """
    sums, measured = Sums(), defaultdict[BilledDay, int](int)
    for place, nano in tally.nano().items():
        measured[BilledDay(place.day, place.machine.backend)] += nano
    replaced = {of for of, bill in bills.items() if bill.replaces(measured.get(of, 0))}
    days = {of.day for of in replaced}
    for place, nano in tally.nano().items():
        if (
            place.machine.backend or place.day not in days
        ):  # earlier versions did not record the backend
            usd = nano * NANODOLLAR
            sums.add(place.day, today, place.tenant, usd, place.machine.backend)
    weights = weights_of(tally, shared_by)
    for of in replaced:
        more = bills[of].machines_nano - measured.get(of, 0)
        sums.add(of.day, today, UNALLOCATED, more * NANODOLLAR, of.backend)
    add_ons = tally.add_ons_nano()
    for of in bills.keys() | add_ons.keys():
        billed = bills[of].other_nano if of in bills else {}
        others = billed if of in replaced else at_least(billed, add_ons.get(of, {}))
        for nano in others.values():
            for tenant, part in allocated_parts(nano, weights.get(of, {})):
                sums.add(of.day, today, tenant, part * NANODOLLAR, of.backend)
    return sums


def held(
    tally: CostCount, bills: Mapping[BilledDay, Billed], today: date, max_workers: WorkerLimits
) -> Sums:
    """The amounts held for today and yesterday, on days without a complete bill."""
    sums = Sums()
    measured = defaultdict[tuple[date, PaidMachine], int](int)
    for place, nano in tally.nano().items():
        measured[place.day, place.machine] += nano
    for (day, machine), unmeasured in tally.unmeasured.items():
        bill = bills.get(BilledDay(day, machine.backend))
        if day < today - _BILLED_WITHIN or (bill is not None and bill.is_whole):
            continue
        for tenant, usd in unmeasured.lost_usd.items():
            sums.add(day, today, tenant, usd, machine.backend)
        price = tally.lines.at(*machine, datetime.combine(day, time(), UTC))
        if price is not None and price.unit != "audio_minute":
            per_hour = price.usd_per_hour + price.beside_usd_per_hour
            machines = WorkerPrice(per_hour / 3600, max_workers(machine.backend))
            nano = unmeasured.workers_nano(machines, measured[day, machine])
            sums.add(day, today, UNALLOCATED, nano * NANODOLLAR, machine.backend)
    return sums


def _of(scope: str, sums: Mapping[str, Decimal]) -> Decimal:
    return sum(sums.values(), _ZERO) if scope == "all" else sums.get(scope, _ZERO)


def _merged(*sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for each in sums:
        for tenant, usd in each.items():
            found[tenant] = found.get(tenant, _ZERO) + usd
    return found
