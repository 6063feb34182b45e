"""Daily spend by backend, with unusual days marked."""

from datetime import date
from typing import TYPE_CHECKING

from escriba.reports import wording
from escriba.reports.figures import Figures

from .drawing import Spec, by_backend, chart, day_tip, days, money, noon, spec, usd_tip
from .palette import variable

if TYPE_CHECKING:
    import altair as alt

_HEADROOM = 1.18  # room above the highest bar for its mark


def daily(figures: Figures) -> Spec:
    """The main chart of the report."""
    import altair as alt  # noqa: PLC0415

    period, sums = figures.periods.now, _sums(figures)
    totals: dict[date, float] = {}
    for (day, _), usd in sums.items():
        totals[day] = totals.get(day, 0.0) + max(usd, 0.0)
    data = [
        {"day": noon(day), "backend": wording.backend(name), "usd": usd}
        for (day, name), usd in sorted(sums.items())
    ]
    most = max(totals.values(), default=1.0) * _HEADROOM
    bars = (
        chart(data)
        .mark_bar(width=alt.RelativeBandSize(band=0.8))
        .encode(
            x=days(period, timeUnit="utcyearmonthdate"),
            y=money("usd", "US$ per day", domainMax=most),
            color=by_backend(name for _, name in sums),
            tooltip=[day_tip(), "backend:N", usd_tip("usd", "spent")],
        )
    )
    return spec(alt.layer(bars, *_marks(figures)))


def _marks(figures: Figures) -> "list[alt.Chart]":
    """A triangle and a label above each unusual day; no layer if there is none."""
    odd = [
        {
            "day": noon(one.day),
            "usd": float(one.usd),
            "usual": float(one.usual_usd),
            "label": "high" if one.usd > one.usual_usd else "low",
        }
        for one in figures.anomalies
        if one.scope == "all"
    ]
    if not odd:
        return []
    marks = chart(odd).encode(
        x=days(figures.periods.now),
        y="usd:Q",
        tooltip=[day_tip(), usd_tip("usd", "spent"), usd_tip("usual", "typical")],
    )
    points = marks.mark_point(
        shape="triangle-down", size=80, filled=True, yOffset=-9, color=variable("alert"), opacity=1
    )
    words = marks.mark_text(dy=-21, color=variable("alert"), fontWeight="bold")
    return [points, words.encode(text="label:N")]


def _sums(figures: Figures) -> dict[tuple[date, str], float]:
    sums: dict[tuple[date, str], float] = {}
    for row in figures.spend:
        if row.day in figures.periods.now:
            key = (row.day, row.backend)
            sums[key] = sums.get(key, 0.0) + float(row.usd)
    return sums
