"""How figures are said; one way for the page, the mail and the terminal."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from .figures import Bill, Figures

_CENT = Decimal("0.01")
_SMALL = Decimal("0.0001")
_STRETCHES = 5  # of days, before the rest is only counted
_SAME = 0.005  # below half a per cent nothing has changed
_BACKENDS = {
    "runpod": "RunPod",
    "aws_gpu": "AWS",
    "gcp_gpu": "Google Cloud",
    "openai": "OpenAI",
    "pyannote_ai": "pyannoteAI",
    "local": "This machine",
    "all": "All together",
}
CATEGORIES = {
    "run": "Transcribing",
    "failed_run": "Attempts in vain",
    "boot": "Workers starting",
    "idle": "Workers waiting",
    "storage": "Storage",
    "network": "Network",
    "tax": "Taxes",
    "credit": "Credits",
    "other": "Other lines of bills",
    "unexplained": "Billed, and not explained",
}
NAMES = CATEGORIES | {"unallocated": "Nobody's: storage, unexplained"}
WASTE = {
    "failed": "Failed attempts",
    "lost": "Workers that died",
    "buried": "Jobs that never began",
    "preempted": "Machines taken away",
    "duplicate": "Jobs done twice",
    "cold": "Workers starting",
    "idle": "Workers waiting",
}


def usd(amount: Decimal | None) -> str:
    """Cents from ten cents on; small prices to a hundredth of a cent."""
    if amount is None:
        return "–"
    step = _SMALL if 0 < abs(amount) < Decimal("0.1") else _CENT
    rounded = amount.quantize(step, ROUND_HALF_EVEN)
    return f"{'−' if rounded < 0 else ''}US$ {abs(rounded):,}"


def percent(share: float | None) -> str:
    """Whole per cents from ten on, else a tenth."""
    if share is None:
        return "–"
    points = share * 100
    return f"{points:.0f} %" if abs(points) >= 9.95 or not points else f"{points:.1f} %"  # noqa: PLR2004


def changed(share: float | None) -> str:
    """Against before: +12 %, −3.4 %, or the same."""
    if share is None:
        return "–"
    if abs(share) < _SAME:
        return "the same"
    return f"{'+' if share > 0 else '−'}{percent(abs(share))}"


def hours(amount: float) -> str:
    """Of audio."""
    return f"{amount:,.0f} h" if amount >= 99.95 else f"{amount:,.1f} h"  # noqa: PLR2004  # as rounded


def clock(seconds: float) -> str:
    """1:02:03; below an hour 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    whole, minutes = divmod(minutes, 60)
    return f"{whole}:{minutes:02}:{rest:02}" if whole else f"{minutes}:{rest:02}"


def backend(name: str) -> str:
    """As its maker writes it."""
    return _BACKENDS.get(name, name)


def place(name: str) -> str:
    """runpod/l4 as RunPod l4."""
    first, _, sku = name.partition("/")
    return f"{backend(first)} {sku}".strip()


def days(count: int) -> str:
    """1 day, 2 days."""
    return f"{count:,} day{'' if count == 1 else 's'}"


def these_days(figures: Figures) -> str:
    """The period, in a sentence."""
    count = figures.periods.now.days
    return "on this day" if count == 1 else f"in these {days(count)}"


def seven_days(figures: Figures) -> str:
    """What comes before 'each day'; a ledger that begins on the way has fewer."""
    whole = figures.periods.now.first - timedelta(days=6)
    known = figures.first_day is not None and figures.first_day <= whole
    return "the seven days up to" if known else "the seven days, as far as there are any, up to"


def which_days(found: Sequence[date]) -> str:
    """In their order: 2026-03-05, 2026-03-07 to 2026-03-09; of many stretches the first ones."""
    stretches: list[list[date]] = []
    for day in found:
        if stretches and day - stretches[-1][-1] == timedelta(days=1):
            stretches[-1].append(day)
        else:
            stretches.append([day])
    told = [
        f"{one[0]}" if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in stretches[:_STRETCHES]
    ]
    left = sum(map(len, stretches[_STRETCHES:]))
    return ", ".join([*told, *([f"{days(left)} more"] if left else [])])


def no_bill_yet(bill: Bill) -> str:
    """The end of a sentence about a bill; nothing where all days have one."""
    return f"; no bill yet of {which_days(bill.unbilled)}" if bill.unbilled else ""
