"""The sections of the page: a heading, a lead, a chart, and tables."""

from collections.abc import Iterator
from dataclasses import dataclass

from escriba.reports.charts.break_even import break_even
from escriba.reports.charts.budget import budget
from escriba.reports.charts.daily import daily
from escriba.reports.charts.drawing import Spec
from escriba.reports.charts.rates import price_of_audio, speed
from escriba.reports.charts.tenants import unit_costs
from escriba.reports.charts.waste import waste
from escriba.reports.figures import Figures
from escriba.reports.wording import backend, seven_days, these_days

from . import finance_tables, tables
from .tables import Table


@dataclass(frozen=True, slots=True)
class Section:
    """One section; alt: the text alternative of its chart."""

    id: str
    title: str
    lead: str
    spec: Spec | None
    alt: str
    tables: tuple[Table, ...]


def sections(figures: Figures) -> list[Section]:
    """The sections that have something to show, in the order of the page."""
    if not any(row.day in figures.periods.now for row in figures.spend):
        return []
    drawn = [
        _spend(figures),
        _price(figures),
        *_by_tenant(figures),
        _speed(figures),
        _waste(figures),
        _break_even(figures),
        *_budget(figures),
    ]
    shown = [one for one in drawn if one.spec is not None]
    return [*shown, *_committed(figures), *_dearest(figures)]


def _spend(figures: Figures) -> Section:
    return Section(
        "spend",
        "Daily spend",
        "Each bar is a day (UTC). A triangle marks a day with unusual spend.",
        daily(figures),
        "Bar chart of spend by day and backend",
        (
            tables.by_backend(figures),
            tables.by_tenant(figures),
            tables.by_category(figures),
            *([finance_tables.by_tag(figures)] if _is_tagged(figures) else []),
            tables.days(figures),
        ),
    )


def _price(figures: Figures) -> Section:
    return Section(
        "price",
        "Cost per hour of audio",
        "The full cost of a backend, with failed attempts, boot and idle time, divided by the "
        f"audio it transcribed, over {seven_days(figures)} each day.",
        price_of_audio(figures),
        "Line chart of cost per hour of audio by backend",
        (tables.weeks(figures),),
    )


def _is_tagged(figures: Figures) -> bool:
    return any(one.cost_center or one.project for one in figures.tags)


def _by_tenant(figures: Figures) -> Iterator[Section]:
    """Shown if there are at least two months to compare."""
    if len({one.month for one in figures.unit_costs}) > 1:
        yield Section(
            "tenants",
            "Cost per hour of audio by tenant",
            "All costs allocated to a tenant divided by its transcribed audio, month by month; "
            "the last month may be incomplete.",
            unit_costs(figures),
            "Line chart of cost per hour of audio by tenant",
            (finance_tables.unit_costs(figures),),
        )


def _speed(figures: Figures) -> Section:
    return Section(
        "speed",
        "Speed",
        "RTF (real-time factor) is run time divided by audio length; lower is faster. Lines show "
        "the median of each day, and 95 of 100 jobs stay within the band.",
        speed(figures),
        "Line chart of RTF by backend",
        (tables.speeds(figures),),
    )


def _waste(figures: Figures) -> Section:
    return Section(
        "waste",
        "Waste and idle",
        "Money that produced no transcript. Advice worth following is listed above.",
        waste(figures),
        "Bar chart of waste by kind and backend",
        (tables.waste(figures),),
    )


def _break_even(figures: Figures) -> Section:
    return Section(
        "breakeven",
        "Cheapest backend by workload",
        "The cost of a day by hours of audio, at today's prices and measured speeds. A machine "
        "priced by the hour costs a whole day; its line ends where one machine is fully used."
        + _only_compared(figures),
        break_even(figures),
        "Line chart of the cost of a day by hours of audio",
        (tables.options(figures),),
    )


def _only_compared(figures: Figures) -> str:
    """Names the backends that are shown only for comparison."""
    others = {one.backend for one in figures.options if not figures.can_send_to(one.backend)}
    if not others:
        return ""
    named = ", ".join(sorted(map(backend, others)))
    return f" For comparison only, since this version cannot send work there: {named}."


def _budget(figures: Figures) -> Iterator[Section]:
    for burn in figures.burn:
        if burn.scope == "all":
            ahead = (
                "The forecast extends the mean of the last 14 complete days; the band covers "
                "95 of 100 such months."
            )
            yield Section(
                "budget",
                "Forecast and budget",
                "The month has ended." if burn.level == "past" else ahead,
                budget(figures, burn),
                "Chart of the month's spend, forecast and limit",
                (tables.budgets(figures),),
            )


def _committed(figures: Figures) -> Iterator[Section]:
    if figures.commitments:
        lead = (
            "This table spreads prepaid amounts over the days of their term; all other parts of "
            "the report count money on the day it was billed."
        )
        shown = (finance_tables.commitments(figures),)
        yield Section("committed", "Committed use", lead, None, "", shown)


def _dearest(figures: Figures) -> Iterator[Section]:
    dearest = tables.recordings(figures)
    if dearest.rows:
        lead = (
            f"Recordings with their latest cost {these_days(figures)}. Each row covers all "
            "attempts, earlier ones included, and a share of its workers' boot and idle time."
        )
        yield Section("dearest", "Ten most expensive recordings", lead, None, "", (dearest,))
