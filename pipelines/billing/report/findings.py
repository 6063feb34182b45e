"""What a report says in words: advice with its savings, and what wants attention."""

from collections.abc import Iterator
from decimal import Decimal

from .advice import Advice, worth_it
from .backends import cheapest_at, dearer_backend
from .comparison import spent
from .figures import Figures
from .wording import backend, days, no_bill_yet, percent, usd, which_days
from .workers import failing, shorter_timeout, unexplained

_HIGH_MEAN_USD = Decimal(50)  # a day: the original's own mark


def advice(figures: Figures) -> list[Advice]:
    """What the figures carry; the largest saving first. Savings may overlap."""
    found = [
        *dearer_backend(figures),
        *cheapest_at(figures),
        *shorter_timeout(figures),
        *failing(figures),
        *unexplained(figures),
    ]
    return worth_it(found, spent(figures.spend, figures.periods.now))


def attention(figures: Figures) -> list[str]:
    """Sentences about what is not as it should be."""
    return [*_budgets(figures), *_mean(figures), *_days(figures), *_bills(figures)]


def _budgets(figures: Figures) -> Iterator[str]:
    for one in figures.burn:
        limit = one.month_limit_usd
        who = "All tenants" if one.scope == "all" else one.scope
        if limit is None or one.level == "past":
            continue
        if one.spent_usd >= limit:
            yield f"{who} spent {usd(one.spent_usd)}: the month's limit of {usd(limit)} is reached."
        elif one.forecast_usd > limit:
            over = usd(one.forecast_usd - limit)
            yield f"{who}: the month will pass its limit of {usd(limit)} by {over}."


def _mean(figures: Figures) -> Iterator[str]:
    mean = spent(figures.spend, figures.periods.now) / figures.periods.now.days
    if mean > _HIGH_MEAN_USD:
        yield f"{usd(mean)} a day on average is more than {usd(_HIGH_MEAN_USD)}."


def _days(figures: Figures) -> Iterator[str]:
    for one in figures.anomalies:
        if one.scope == "all":
            more = "more" if one.usd > one.usual_usd else "less"
            yield (
                f"{one.day:%Y-%m-%d}: {usd(one.usd)}, much {more} than the usual "
                f"{usd(one.usual_usd)}{_who(figures, one.day)}."
            )


def _who(figures: Figures, day: object) -> str:
    """Which backends stood out on the same day."""
    names = [
        backend(one.scope) for one in figures.anomalies if one.day == day and one.scope != "all"
    ]
    return f" ({', '.join(sorted(names))})" if names else ""


def _bills(figures: Figures) -> Iterator[str]:
    for bill in figures.bills:
        if bill.alarming:
            share = float(abs(bill.unexplained_usd) / bill.billed_usd) if bill.billed_usd else None
            yield (
                f"{backend(bill.backend)}: of {which_days(bill.alarming)} more than 5 % of the "
                f"bill is not explained; {percent(share)} over {days(bill.days)} with a bill"
                f"{no_bill_yet(bill)}."
            )
