"""What bills say of a day, as a limit on money takes it: the rules of `int_day_totals`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from .priced_time import nanodollars, share
from .told_until import told_until

_MICROSECOND = timedelta(microseconds=1)


class BilledDay(NamedTuple):
    """Which day (UTC), and of which backend."""

    day: date
    backend: str


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """What of a line of a bill a limit must know."""

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
    """Nano-dollars of one day and backend.

    is_read_after: the machines' bill was read after the day was over. is_told: it tells of the
    day's last hour, or of later ones (told_until.py).
    """

    machines_nano: int = 0
    beside_nano: int = 0
    is_read_after: bool = False
    is_told: bool = True

    @property
    def is_whole(self) -> bool:
        """The machines' bill is of all the day."""
        return self.is_read_after and self.is_told

    def replaces(self, measured_nano: int) -> bool:
        """Whether it counts instead of what was measured: so does one that has as much already."""
        return self.is_whole or (self.is_read_after and self.machines_nano >= measured_nano)


def billed_days(lines: Iterable[InvoiceLine]) -> Mapping[BilledDay, Billed]:
    """By day; a line of many days is shared out evenly."""
    found: defaultdict[BilledDay, Billed] = defaultdict(Billed)
    for until, line in _told(lines):
        first = line.period_start.astimezone(UTC).date()
        ends = max(line.period_start, line.period_end - _MICROSECOND).astimezone(UTC).date()
        days = (ends - first).days + 1
        for place in range(days):
            day = first + timedelta(days=place)
            one = found[BilledDay(day, line.backend)]
            nano = share(nanodollars(line.amount_usd), place, place + 1, days)
            if line.category != "compute":
                one.beside_nano += nano
                continue
            one.machines_nano += nano
            one.is_read_after |= line.imported_at >= _end(day)
            one.is_told &= until is None or until >= _end(day)
    return found


def _told(lines: Iterable[InvoiceLine]) -> Iterator[tuple[datetime | None, InvoiceLine]]:
    """Each with how far its payer's bill tells; of RunPod, which has none, all it has."""
    bills: defaultdict[tuple[str, str | None], list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        bills[line.backend, None if line.backend == "runpod" else line.bill].append(line)
    for of_bill in bills.values():
        until = told_until(of_bill)
        for line in of_bill:
            yield until, line


def _end(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)
