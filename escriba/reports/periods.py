"""The days that a report covers, and the days it compares them with."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """Days (UTC) from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.last - self.first).days + 1

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.first:%Y-%m-%d} to {self.last:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Compared:
    """A period and the previous one, of the same length as far as months allow."""

    now: Period
    before: Period


def last_days(count: int, today: date) -> Compared:
    """The last `count` complete days, compared with as many before them."""
    now = Period(today - timedelta(days=count), today - timedelta(days=1))
    return Compared(now, Period(now.first - timedelta(days=count), now.first - timedelta(days=1)))


def month(text: str, today: date) -> Compared:
    """The complete days of a month such as 2026-03, compared with as many of the previous month.

    Raises:
        ValueError: there is no such month, or none of its days has ended.
    """
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise ValueError(f"{text!r} is not a month such as 2026-03")
    first = date.fromisoformat(f"{text}-01")
    last = min(_end(first), today - timedelta(days=1))
    if last < first:
        raise ValueError(f"no day of {text} has ended yet")
    before = (first - timedelta(days=1)).replace(day=1)
    until = _end(before) if last == _end(first) else before + (last - first)
    return Compared(Period(first, last), Period(before, min(until, _end(before))))


def month_before(today: date) -> str:
    """The last complete month, such as 2026-02."""
    return f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"


def _end(first: date) -> date:
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])
