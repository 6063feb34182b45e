"""The parts of the page: a heading, a sentence, a picture, and the tables under it."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.billing.report.figures import Figures
from pipelines.billing.report.wording import backend, seven_days, these_days

from . import finance_tables, tables
from .charts.break_even import break_even
from .charts.budget import budget
from .charts.daily import daily
from .charts.drawing import Spec
from .charts.rates import price_of_audio, speed
from .charts.tenants import unit_costs
from .charts.waste import waste
from .tables import Table


@dataclass(frozen=True, slots=True)
class Section:
    """alt: what the picture shows, for whoever does not see it."""

    id: str
    title: str
    lead: str
    spec: Spec | None
    alt: str
    tables: tuple[Table, ...]


def sections(figures: Figures) -> list[Section]:
    """In the order of the page; those that have something to show."""
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
        "What was spent, day by day",
        "Each bar is a day (UTC). A triangle marks a day that is far from usual.",
        daily(figures),
        "Bars of spend by day and backend",
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
        "An hour of audio",
        "All that a backend cost, failed attempts, starting and waiting with it, over the audio "
        f"that was done; in {seven_days(figures)} each day.",
        price_of_audio(figures),
        "Lines of cost for an hour of audio by backend",
        (tables.weeks(figures),),
    )


def _is_tagged(figures: Figures) -> bool:
    return any(one.cost_center or one.project for one in figures.tags)


def _by_tenant(figures: Figures) -> Iterator[Section]:
    """Where there is more than a month to compare."""
    if len({one.month for one in figures.unit_costs}) > 1:
        yield Section(
            "tenants",
            "An hour of audio by tenant",
            "All that a tenant carries over the audio that was done for it, month by month; the "
            "last one as far as it goes.",
            unit_costs(figures),
            "Lines of cost for an hour of audio by tenant",
            (finance_tables.unit_costs(figures),),
        )


def _speed(figures: Figures) -> Section:
    return Section(
        "speed",
        "Speed",
        "RTF is the time of a run over the length of its audio: less is faster. Lines are the "
        "middle of a day; 95 of 100 jobs stay within the band.",
        speed(figures),
        "Lines of RTF by backend",
        (tables.speeds(figures),),
    )


def _waste(figures: Figures) -> Section:
    return Section(
        "waste",
        "Waste and idle",
        "Money that made no transcript. What to do about it stands above, where it is worth it.",
        waste(figures),
        "Bars of waste by kind and backend",
        (tables.waste(figures),),
    )


def _break_even(figures: Figures) -> Section:
    return Section(
        "breakeven",
        "Where it would be cheapest",
        "What a day would cost by hours of audio, at today's prices and measured speeds. A machine "
        "by the hour costs its day; its line ends where one can do no more."
        + _only_compared(figures),
        break_even(figures),
        "Lines of a day's cost by hours of audio",
        (tables.options(figures),),
    )


def _only_compared(figures: Figures) -> str:
    """Which places no work can be sent to."""
    others = {one.backend for one in figures.options if not figures.can_send_to(one.backend)}
    if not others:
        return ""
    named = ", ".join(sorted(map(backend, others)))
    return f" For comparison alone, since this version cannot send work there: {named}."


def _budget(figures: Figures) -> Iterator[Section]:
    for burn in figures.burn:
        if burn.scope == "all":
            ahead = (
                "The forecast goes on with the mean of the last 14 complete days; the band holds "
                "95 of 100 such months."
            )
            yield Section(
                "budget",
                "Forecast and budget",
                "The month is over." if burn.level == "past" else ahead,
                budget(figures, burn),
                "The month's spend, its forecast and its limit",
                (tables.budgets(figures),),
            )


def _committed(figures: Figures) -> Iterator[Section]:
    if figures.commitments:
        lead = (
            "What was paid in advance is spread over the days of its term here; everywhere else "
            "money is counted on the day on which it was billed."
        )
        told = (finance_tables.commitments(figures),)
        yield Section("committed", "Committed use", lead, None, "", told)


def _dearest(figures: Figures) -> Iterator[Section]:
    dearest = tables.recordings(figures)
    if dearest.rows:
        lead = (
            f"Of those that last cost something {these_days(figures)}: all attempts of each, "
            "the earlier ones too, with its share of what its workers started and waited."
        )
        yield Section("dearest", "Ten dearest recordings", lead, None, "", (dearest,))
