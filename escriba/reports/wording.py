"""Figures as text, the same on the page, in mail and in the terminal."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from escriba.backend_names import TITLES

from .figures import BillTotal, Figures
from .finance_figures import AssumedRate

_CENT = Decimal("0.01")
_SMALL = Decimal("0.0001")
_RANGES = 5  # of days that are listed; the rest is only counted
_SAME = 0.005  # a change below half a percent is no change
_BACKENDS = TITLES | {"all": "All backends"}
CATEGORIES = {
    "run": "Transcription",
    "failed_run": "Failed attempts",
    "boot": "Worker boot",
    "idle": "Worker idle time",
    "storage": "Storage",
    "network": "Network",
    "tax": "Taxes",
    "credit": "Credits",
    "other": "Other billed costs",
    "unexplained": "Billed but unexplained",
}
NAMES = CATEGORIES | {"unallocated": "Unallocated: storage, unexplained"}
WASTE = {
    "failed": "Failed attempts",
    "lost": "Lost workers",
    "buried": "Jobs that never started",
    "preempted": "Preempted workers",
    "duplicate": "Jobs done twice",
    "cold": "Worker boot",
    "idle": "Worker idle time",
}


def usd(amount: Decimal | None) -> str:
    """US dollars in cents from ten cents up; smaller amounts to a hundredth of a cent."""
    if amount is None:
        return "–"
    step = _SMALL if 0 < abs(amount) < Decimal("0.1") else _CENT
    rounded = amount.quantize(step, ROUND_HALF_EVEN)
    return f"{'−' if rounded < 0 else ''}US$ {abs(rounded):,}"


def percent(share: float | None) -> str:
    """A percentage: whole from ten percent up, otherwise with one decimal."""
    if share is None:
        return "–"
    points = share * 100
    return f"{points:.0f} %" if abs(points) >= 9.95 or not points else f"{points:.1f} %"  # noqa: PLR2004


def changed(share: float | None) -> str:
    """A change since the previous period: +12 %, −3.4 %, or "unchanged"."""
    if share is None:
        return "–"
    if abs(share) < _SAME:
        return "unchanged"
    return f"{'+' if share > 0 else '−'}{percent(abs(share))}"


def hours(amount: float) -> str:
    """Hours of audio as text."""
    return f"{amount:,.0f} h" if amount >= 99.95 else f"{amount:,.1f} h"  # noqa: PLR2004  # as rounded


def clock(seconds: float) -> str:
    """A length such as 1:02:03, or 2:03 below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    whole, minutes = divmod(minutes, 60)
    return f"{whole}:{minutes:02}:{rest:02}" if whole else f"{minutes}:{rest:02}"


def backend(name: str) -> str:
    """The backend's name as its maker writes it."""
    return _BACKENDS.get(name, name)


def place(name: str) -> str:
    """A backend and sku for people: "RunPod l4" for runpod/l4."""
    first, _, sku = name.partition("/")
    return f"{backend(first)} {sku}".strip()


def days(count: int) -> str:
    """A number of days: "1 day", "2 days"."""
    return f"{count:,} day{'' if count == 1 else 's'}"


def these_days(figures: Figures) -> str:
    """The period, for the end of a sentence."""
    count = figures.periods.now.days
    return "on this day" if count == 1 else f"in these {days(count)}"


def seven_days(figures: Figures) -> str:
    """The words before "each day"; says so if the ledger starts within the seven days."""
    whole = figures.periods.now.first - timedelta(days=6)
    known = figures.first_day is not None and figures.first_day <= whole
    return "the seven days up to" if known else "up to seven days, where the ledger has them, to"


def which_days(found: Sequence[date]) -> str:
    """Sorted days as ranges: 2026-03-05, 2026-03-07 to 2026-03-09; the first few of many."""
    ranges: list[list[date]] = []
    for day in found:
        if ranges and day - ranges[-1][-1] == timedelta(days=1):
            ranges[-1].append(day)
        else:
            ranges.append([day])
    listed = [
        f"{one[0]}" if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in ranges[:_RANGES]
    ]
    left = sum(map(len, ranges[_RANGES:]))
    return ", ".join([*listed, *([f"{days(left)} more"] if left else [])])


def no_bill_yet(bill: BillTotal) -> str:
    """The end of a sentence about a bill: the days without one; empty if all days have one."""
    return f"; no bill yet for {which_days(bill.unbilled)}" if bill.unbilled else ""


def by_assumed_rate(one: AssumedRate) -> str:
    """A note for readers of the amounts."""
    named = ", ".join(map(backend, one.backends))
    return f"Costs of {named} are converted, fully or in part, at an {one.rate}."
