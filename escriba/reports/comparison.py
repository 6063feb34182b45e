"""Totals of a period, and how they changed since the previous one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from .figures import ZERO, Figures, Spend
from .periods import Period

_WEEK = 7


@dataclass(frozen=True, slots=True)
class Sum:
    """The cost of one name in this period and in the previous one.

    before_usd: None if the ledger does not cover the previous period.
    """

    name: str
    usd: Decimal
    before_usd: Decimal | None
    share: float

    @property
    def change(self) -> float | None:
        """The change as a fraction: 0.1 is 10 % more; None without a comparison."""
        return change(self.usd, self.before_usd)


def change(now: Decimal | float | None, before: Decimal | float | None) -> float | None:
    """The change as a fraction of the earlier value; None if that is zero or unknown."""
    if now is None or not before:
        return None
    return float(now) / float(before) - 1


def is_comparable(figures: Figures) -> bool:
    """Whether the ledger covers all days of the previous period."""
    return figures.first_day is not None and figures.first_day <= figures.periods.before.first


def spent(rows: Iterable[Spend], period: Period) -> Decimal:
    """USD spent in a period."""
    return sum((row.usd for row in rows if row.day in period), ZERO)


def sums_by(figures: Figures, name_of: Callable[[Spend], str]) -> list[Sum]:
    """Totals by tenant, backend or category, the most expensive first."""
    now: dict[str, Decimal] = {}
    before: dict[str, Decimal] = {}
    for row in figures.spend:
        for sums, period in ((now, figures.periods.now), (before, figures.periods.before)):
            if row.day in period:
                sums[name_of(row)] = sums.get(name_of(row), ZERO) + row.usd
    total = sum(now.values(), ZERO)
    known = is_comparable(figures)
    found = [
        Sum(
            name,
            now.get(name, ZERO),
            before.get(name, ZERO) if known else None,
            float(now.get(name, ZERO) / total) if total else 0.0,
        )
        for name in now | before
    ]
    return sorted(found, key=lambda one: (-one.usd, one.name))


def audio_hours(figures: Figures, period: Period, backend: str | None = None) -> float:
    """Hours of audio transcribed in a period, by one backend or by all."""
    return sum(
        row.audio_hours
        for row in figures.speed
        if row.day in period and backend in {None, row.backend}
    )


def usd_per_audio_hour(
    figures: Figures, period: Period, backend: str | None = None
) -> Decimal | None:
    """Total cost divided by transcribed hours of audio; None without audio."""
    hours = audio_hours(figures, period, backend)
    rows = [row for row in figures.spend if backend in {None, row.backend}]
    return spent(rows, period) / Decimal(repr(hours)) if hours else None


def by_week(figures: Figures, backend: str) -> list[tuple[date, Decimal]]:
    """USD per hour of audio in the seven days up to each day of the period."""
    found = []
    day = figures.periods.now.first
    while day <= figures.periods.now.last:
        week = Period(day - timedelta(days=_WEEK - 1), day)
        price = usd_per_audio_hour(figures, week, backend)
        if price is not None:
            found.append((day, price))
        day += timedelta(days=1)
    return found


def wasted(figures: Figures, period: Period) -> dict[tuple[str, str], tuple[Decimal, int]]:
    """Wasted USD and attempts by kind and backend, the most expensive first."""
    sums: dict[tuple[str, str], tuple[Decimal, int]] = {}
    for row in figures.waste:
        if row.day in period:
            usd, attempts = sums.get((row.kind, row.backend), (ZERO, 0))
            sums[row.kind, row.backend] = (usd + row.usd, attempts + row.attempts)
    return dict(sorted(sums.items(), key=lambda item: -item[1][0]))


def accumulated(figures: Figures, month: Period) -> list[tuple[date, Decimal]]:
    """The USD spent since the start of the month, for each day."""
    days: dict[date, Decimal] = {}
    for row in figures.spend:
        if row.day in month:
            days[row.day] = days.get(row.day, ZERO) + row.usd
    total, found = ZERO, []
    for offset in range(month.days):
        day = month.first + timedelta(days=offset)
        total += days.get(day, ZERO)
        found.append((day, total))
    return found
