"""Billed amounts by day for spending limits, by the rules of `int_day_totals`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from escriba.backend_names import RUNPOD

from .billed_until import billed_until
from .priced_time import nanodollars, share

_MICROSECOND = timedelta(microseconds=1)


class BilledDay(NamedTuple):
    """A day (UTC) and a backend."""

    day: date
    backend: str


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """The fields of a bill line that a limit needs."""

    backend: str
    bill: str | None
    invoice_id: str
    category: str
    period_start: datetime
    period_end: datetime
    amount_usd: Decimal
    imported_at: datetime


@dataclass(slots=True)
class Billed:
    """Nano-dollars of one day and backend. other_nano: amounts other than compute, by category.

    is_read_after: the compute bill was imported after the day ended. covers_day_end: the bill
    covers the day's last hour (`billed_until`).
    """

    machines_nano: int = 0
    other_nano: dict[str, int] = field(default_factory=dict)
    is_read_after: bool = False
    covers_day_end: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether the compute bill covers the whole day."""
        return self.is_read_after and self.covers_day_end

    def replaces(self, measured_nano: int) -> bool:
        """Whether the bill counts instead of the measured cost: it is complete, or no smaller."""
        return self.is_whole or (self.is_read_after and self.machines_nano >= measured_nano)


def billed_days(lines: Iterable[InvoiceLine]) -> Mapping[BilledDay, Billed]:
    """Billed amounts by day and backend; a line of several days is split evenly."""
    found: defaultdict[BilledDay, Billed] = defaultdict(Billed)
    for until, line in _with_ends(lines):
        first = line.period_start.astimezone(UTC).date()
        ends = max(line.period_start, line.period_end - _MICROSECOND).astimezone(UTC).date()
        days = (ends - first).days + 1
        for place in range(days):
            day = first + timedelta(days=place)
            one = found[BilledDay(day, line.backend)]
            nano = share(nanodollars(line.amount_usd), place, place + 1, days)
            if line.category != "compute":
                one.other_nano[line.category] = one.other_nano.get(line.category, 0) + nano
                continue
            one.machines_nano += nano
            one.is_read_after |= line.imported_at >= _end(day)
            one.covers_day_end &= until is None or until >= _end(day)
    return found


def _with_ends(lines: Iterable[InvoiceLine]) -> Iterator[tuple[datetime | None, InvoiceLine]]:
    """Each line with the end of what its bill covers; RunPod's lines count as one bill."""
    bills: defaultdict[tuple[str, str | None], list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        bills[line.backend, None if line.backend == RUNPOD else line.bill].append(line)
    for of_bill in bills.values():
        until = billed_until(of_bill)
        for line in of_bill:
            yield until, line


def _end(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)
