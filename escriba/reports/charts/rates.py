"""Line charts over time by backend: cost per hour of audio, and speed."""

from escriba.reports import comparison, wording
from escriba.reports.figures import Figures

from .drawing import (
    Rows,
    Spec,
    by_backend,
    by_place,
    chart,
    dashes,
    day_tip,
    days,
    in_order,
    money,
    noon,
    spec,
    usd_tip,
)

_LOG_AXIS_RATIO = 3.0  # of the highest to the lowest price, above which the axis is logarithmic
_MARKS = [mark * 10.0**power for power in range(-4, 3) for mark in (1, 2, 3, 5)]


def price_of_audio(figures: Figures) -> Spec | None:
    """USD per hour of audio over the seven days up to each day; None without audio."""
    names = in_order(row.backend for row in figures.speed)
    data: Rows = [
        {"day": noon(day), "backend": wording.backend(name), "usd": float(usd)}
        for name in names
        for day, usd in comparison.by_week(figures, name)
    ]
    if not data:
        return None
    title = "US$ per hour of audio"
    axis = money("usd", title, "$,.2f")
    values = [row["usd"] for row in data if row["usd"] > 0]
    if values and max(values) > _LOG_AXIS_RATIO * min(values):
        low, high = min(values) / 1.3, max(values) * 1.3
        axis = money("usd", title, "$~g", type="log", domain=[low, high], nice=False)
        axis = axis.axis(format="$~g", values=[mark for mark in _MARKS if low <= mark <= high])
    lines = chart(data).mark_line(strokeWidth=2, point=_points(figures))
    return spec(
        lines.encode(
            x=days(figures.periods.now),
            y=axis,
            color=by_backend(names, "stroke"),
            strokeDash=dashes(names),
            tooltip=[day_tip(), "backend:N", usd_tip("usd", title, "$,.4f")],
        )
    )


def speed(figures: Figures) -> Spec | None:
    """RTF by backend and sku: the median and the 95th percentile of each day."""
    import altair as alt  # noqa: PLC0415

    rows = [row for row in figures.speed if row.day in figures.periods.now and row.rtf_p50]
    if not rows:
        return None
    names = in_order(row.name for row in rows)
    drawn = chart(
        [
            {
                "day": noon(row.day),
                "backend": wording.place(row.name),
                "p50": row.rtf_p50,
                "p95": row.rtf_p95,
            }
            for row in rows
        ]
    )
    x, colour = days(figures.periods.now), by_place(names)
    axis = alt.Y("p50:Q", title="RTF (run ÷ audio)", axis=alt.Axis(tickCount=5, format="~g"))
    band = drawn.mark_area(opacity=0.16).encode(x=x, y=axis, y2="p95:Q", color=colour)
    tips = [alt.Tooltip(f"p{n}:Q", title=f"P{n}", format=".3f") for n in (50, 95)]
    line = drawn.mark_line(strokeWidth=2, point=_points(figures)).encode(
        x=x,
        y="p50:Q",
        color=colour,
        strokeDash=dashes(names),
        tooltip=[day_tip(), "backend:N", *tips],
    )
    return spec(alt.layer(band, line))


def _points(figures: Figures) -> dict[str, bool | int] | bool:
    """Point marks for a period of one day, in which a line would be invisible."""
    return figures.periods.now.days == 1 and {"filled": False, "size": 60}
