"""What the charts share: axes for days and money, colors by backend, and the style."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from escriba.reports import wording
from escriba.reports.periods import Period

from .palette import dash_of, of_backend, variable

if TYPE_CHECKING:
    import altair as alt

Spec = dict[str, Any]
Rows = list[dict[str, Any]]
_HEIGHT = 280
_DAY_FORMAT = "%-d %b"
_MOST_LABELS = 8  # day labels on an axis
_LEGEND_COLUMNS = 3


def chart(data: Rows) -> "alt.Chart":
    """A chart with its data inline."""
    import altair as alt  # noqa: PLC0415  # takes 1 s, needed only for drawing

    return alt.Chart(alt.Data(values=data))  # type: ignore[no-untyped-call]  # Altair's own


def noon(day: date) -> int:
    """The middle of a day in milliseconds, as Vega counts them."""
    return _millis(day) + 12 * 3_600_000


def _millis(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1_000


def days(period: Period, **more: Any) -> "alt.X":  # noqa: ANN401  # of Altair
    """The axis of a period's days, with some of the days labeled."""
    import altair as alt  # noqa: PLC0415

    step = -(-period.days // _MOST_LABELS)
    labelled = [noon(period.first + timedelta(days=n)) for n in range(0, period.days, step)]
    axis = alt.Axis(
        format=_DAY_FORMAT, labelOverlap="greedy", labelSeparation=6, grid=False, values=labelled
    )
    edges = [_millis(period.first), _millis(period.last + timedelta(days=1))]
    return alt.X("day:T", title=None, axis=axis, scale=alt.Scale(type="utc", domain=edges), **more)


def money(field: str, title: str, decimals: str = "$,~f", **scale: Any) -> "alt.Y":  # noqa: ANN401
    """The vertical axis of amounts."""
    import altair as alt  # noqa: PLC0415

    axis = alt.Axis(format=decimals, tickCount=5)
    return alt.Y(f"{field}:Q", title=title, axis=axis, scale=alt.Scale(**scale))


def day_tip() -> "alt.Tooltip":
    """A tooltip that names the day."""
    import altair as alt  # noqa: PLC0415

    return alt.Tooltip("day:T", title="day", format="%Y-%m-%d")


def usd_tip(field: str, title: str, decimals: str = "$,.2f") -> "alt.Tooltip":
    """A tooltip that shows an amount."""
    import altair as alt  # noqa: PLC0415

    return alt.Tooltip(f"{field}:Q", title=title, format=decimals)


def in_order(names: Iterable[str]) -> list[str]:
    """The names sorted, RunPod first, which usually does most of the work."""
    return sorted(set(names), key=lambda name: (not name.startswith("runpod"), name))


def by_backend(names: Iterable[str], symbol: str = "square") -> "alt.Color":
    """Colors by backend. symbol: the legend's symbol, `stroke` for lines."""
    known = in_order(names)
    labels = [wording.backend(name) for name in known]
    return colour(labels, [of_backend(name) for name in known], symbol)


def by_place(names: Sequence[str]) -> "alt.Color":
    """Colors by backend and sku: a backend's first sku has its color, others the spare ones."""
    left = [variable(name) for name in ("pink", "brown", "sky")]
    found: list[str] = []
    for name in names:
        own = of_backend(name.partition("/")[0])
        free = [one for one in (own, *left) if one not in found]
        found.append(free[0] if free else own)
    return colour([wording.place(name) for name in names], found, "stroke")


def colour(labels: Sequence[str], colours: Sequence[str], symbol: str) -> "alt.Color":
    """A color scale with a legend in short rows, which fit on a phone."""
    import altair as alt  # noqa: PLC0415

    scale = alt.Scale(domain=list(labels), range=list(colours))
    columns = min(len(labels), _LEGEND_COLUMNS) if max(map(len, labels), default=0) < 10 else 2  # noqa: PLR2004
    legend = alt.Legend(columns=columns, symbolType=symbol, symbolOpacity=1, symbolSize=140)
    return alt.Color("backend:N", title=None, scale=scale, legend=legend)


def dashes(names: Sequence[str]) -> "alt.StrokeDash":
    """Dash patterns, so that lines differ in more than their color."""
    import altair as alt  # noqa: PLC0415

    backends = [name.partition("/")[0] for name in names]
    ranges = [dash_of(one, backends[:place].count(one)) for place, one in enumerate(backends)]
    scale = alt.Scale(domain=[wording.place(name) for name in names], range=ranges)
    return alt.StrokeDash("backend:N", title=None, scale=scale)


def spec(drawn: Any, height: int = _HEIGHT) -> Spec:  # noqa: ANN401  # any of Altair's charts
    """The Vega-Lite specification, as wide as the page and in its colors."""
    import altair as alt  # noqa: PLC0415

    ink, muted, line = variable("ink"), variable("muted"), variable("line")
    axis = alt.AxisConfig(
        labelColor=muted,
        titleColor=muted,
        gridColor=line,
        domainColor=line,
        tickColor=line,
        labelFontSize=12,
        titleFontSize=12,
        titleFontWeight="normal",
    )
    legend = alt.LegendConfig(orient="top", labelColor=ink, labelFontSize=12, symbolStrokeWidth=2)
    sized = drawn.properties(
        width="container",
        height=height,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
    )
    made: Spec = sized.configure(
        background="transparent",
        font="system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
        view=alt.ViewConfig(stroke=None),
        axis=axis,
        legend=legend,
        text=alt.MarkConfig(fontSize=12),
    ).to_dict()
    return made
