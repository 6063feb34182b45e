"""The report's sentences: advice with its savings, and what needs attention."""

from collections.abc import Iterator
from decimal import Decimal

from .advice import Advice, worth_showing
from .backend_advice import always_on_machine, cheaper_backend
from .comparison import spent
from .figures import Figures
from .wording import backend, days, no_bill_yet, percent, usd, which_days
from .worker_advice import failed_attempts, shorter_timeout, unexplained

_HIGH_MEAN_USD = Decimal(50)  # per day: the threshold of the original pipeline


def advice(figures: Figures) -> list[Advice]:
    """Recommendations that the figures support, largest saving first. Savings may overlap."""
    found = [
        *cheaper_backend(figures),
        *always_on_machine(figures),
        *shorter_timeout(figures),
        *failed_attempts(figures),
        *unexplained(figures),
    ]
    return worth_showing(found, spent(figures.spend, figures.periods.now))


def attention(figures: Figures) -> list[str]:
    """Sentences about budgets, unusual days and unexplained bills."""
    return [*_budgets(figures), *_mean(figures), *_days(figures), *_bills(figures)]


def _budgets(figures: Figures) -> Iterator[str]:
    for one in figures.burn:
        limit = one.month_limit_usd
        who = "All tenants" if one.scope == "all" else one.scope
        if limit is None or one.level == "past":
            continue
        if one.spent_usd >= limit:
            yield f"{who} spent {usd(one.spent_usd)} and reached the monthly limit of {usd(limit)}."
        elif one.forecast_usd > limit:
            over = usd(one.forecast_usd - limit)
            yield f"{who}: the forecast exceeds the monthly limit of {usd(limit)} by {over}."


def _mean(figures: Figures) -> Iterator[str]:
    mean = spent(figures.spend, figures.periods.now) / figures.periods.now.days
    if mean > _HIGH_MEAN_USD:
        yield f"The average day costs {usd(mean)}, more than {usd(_HIGH_MEAN_USD)}."


def _days(figures: Figures) -> Iterator[str]:
    for one in figures.anomalies:
        if one.scope == "all":
            more = "more" if one.usd > one.usual_usd else "less"
            yield (
                f"{one.day:%Y-%m-%d}: {usd(one.usd)}, much {more} than the typical "
                f"{usd(one.usual_usd)}{_who(figures, one.day)}."
            )


def _who(figures: Figures, day: object) -> str:
    """The backends that were unusual on the same day."""
    names = [
        backend(one.scope) for one in figures.anomalies if one.day == day and one.scope != "all"
    ]
    return f" ({', '.join(sorted(names))})" if names else ""


def _bills(figures: Figures) -> Iterator[str]:
    for bill in figures.bills:
        if bill.alarming:
            share = float(abs(bill.unexplained_usd) / bill.billed_usd) if bill.billed_usd else None
            yield (
                f"{backend(bill.backend)}: the ledger does not explain more than 5 % of the bill "
                f"on {which_days(bill.alarming)}, and {percent(share)} over {days(bill.days)} "
                f"with a bill{no_bill_yet(bill)}."
            )
