"""The month's spend so far, its forecast, and its limit."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from escriba.reports import comparison
from escriba.reports.figures import BudgetUse, Figures
from escriba.reports.periods import Period

from .drawing import Rows, Spec, chart, day_tip, days, money, noon, spec, usd_tip
from .palette import variable

if TYPE_CHECKING:
    import altair as alt


def budget(figures: Figures, burn: BudgetUse) -> Spec:
    """The chart: accumulated spend, and the range of the forecast."""
    import altair as alt  # noqa: PLC0415

    whole = Period(burn.month, _end(burn.month))
    until = min(figures.periods.now.last, whole.last)
    data: Rows = [
        {"day": noon(day), "usd": float(usd)}
        for day, usd in comparison.accumulated(figures, Period(burn.month, until))
    ]
    line = {"color": variable("blue"), "strokeWidth": 2}
    spent = (
        chart(data)
        .mark_area(opacity=0.25, line=line, color=variable("blue"))
        .encode(
            x=days(whole),
            y=money("usd", "US$ since the 1st"),
            tooltip=[day_tip(), usd_tip("usd", "so far")],
        )
    )
    ahead = [] if burn.level == "past" else _ahead(whole, data[-1], burn)
    return spec(alt.layer(spent, *ahead, *_limit(burn)))


def _ahead(whole: Period, last: dict[str, Any], burn: BudgetUse) -> "list[alt.Chart]":
    end = {
        "day": noon(whole.last),
        "usd": float(burn.forecast_usd),
        "low": float(burn.low_usd),
        "high": float(burn.high_usd),
        "label": "forecast",
    }
    here = last | {"low": last["usd"], "high": last["usd"], "label": ""}
    drawn, orange = chart([here, end]), variable("orange")
    band = drawn.mark_area(opacity=0.25, color=orange).encode(x=days(whole), y="low:Q", y2="high:Q")
    tips = (("usd", "forecast"), ("low", "at least"), ("high", "at most"))
    line = drawn.mark_line(color=orange, strokeDash=[5, 3], point={"color": orange}).encode(
        x=days(whole), y="usd:Q", tooltip=[day_tip(), *(usd_tip(*tip) for tip in tips)]
    )
    return [band, line]


def _limit(burn: BudgetUse) -> "list[alt.Chart]":
    if burn.month_limit_usd is None:
        return []
    rule = chart([{"usd": float(burn.month_limit_usd), "label": "limit"}]).encode(y="usd:Q")
    words = rule.mark_text(x=4, dy=-8, align="left", color=variable("alert"), fontWeight="bold")
    return [rule.mark_rule(color=variable("alert"), strokeWidth=2), words.encode(text="label:N")]


def _end(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
