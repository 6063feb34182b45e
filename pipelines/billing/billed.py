"""What bills say of a day, as a limit on money takes it: the rules of `int_day_totals`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from .priced_time import nanodollars, share

_MICROSECOND = timedelta(microseconds=1)


class BilledDay(NamedTuple):
    """Which day (UTC), and of which backend."""

    day: date
    backend: str


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """What of a line of a bill a limit must know."""

    backend: str
    category: str
    period_start: datetime
    period_end: datetime
    amount_usd: Decimal
    imported_at: datetime


@dataclass(slots=True)
class Billed:
    """Nano-dollars of one day and backend. is_whole: the machines' bill is of all the day."""

    machines_nano: int = 0
    beside_nano: int = 0
    is_whole: bool = False


def billed_days(lines: Iterable[InvoiceLine]) -> Mapping[BilledDay, Billed]:
    """By day; a line of many days is shared out evenly.

    One of machines that was read after the day was over makes it whole.
    """
    found: defaultdict[BilledDay, Billed] = defaultdict(Billed)
    for line in lines:
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
            one.is_whole |= line.imported_at >= _end(day)
    return found


def _end(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)
