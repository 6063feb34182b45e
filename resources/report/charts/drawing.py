"""What the pictures share: days, money, colours by backend, and how all of it looks."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.billing.report import wording
from pipelines.billing.report.periods import Period
from resources.report.palette import dash_of, of_backend, variable

if TYPE_CHECKING:
    import altair as alt

Spec = dict[str, Any]
Rows = list[dict[str, Any]]
_HEIGHT = 280
_DAY_FORMAT = "%-d %b"
_MOST_LABELS = 8  # of days on an axis
_ROW_OF_LEGEND = 3


def chart(data: Rows) -> "alt.Chart":
    """On rows that are part of the picture."""
    import altair as alt  # noqa: PLC0415  # 1 s, and only who draws needs it

    return alt.Chart(alt.Data(values=data))


def noon(day: date) -> int:
    """Milliseconds, as Vega counts them; what is of a day stands in its middle."""
    return _millis(day) + 12 * 3_600_000


def _millis(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1_000


def days(period: Period, **more: Any) -> "alt.X":  # noqa: ANN401  # of Altair
    """Whole days from edge to edge, some of them labelled, in their middle."""
    import altair as alt  # noqa: PLC0415

    step = -(-period.days // _MOST_LABELS)
    labelled = [noon(period.first + timedelta(days=n)) for n in range(0, period.days, step)]
    axis = alt.Axis(
        format=_DAY_FORMAT, labelOverlap="greedy", labelSeparation=6, grid=False, values=labelled
    )
    edges = [_millis(period.first), _millis(period.last + timedelta(days=1))]
    return alt.X("day:T", title=None, axis=axis, scale=alt.Scale(type="utc", domain=edges), **more)


def money(field: str, title: str, decimals: str = "$,~f", **scale: Any) -> "alt.Y":  # noqa: ANN401
    """The axis on the left."""
    import altair as alt  # noqa: PLC0415

    axis = alt.Axis(format=decimals, tickCount=5)
    return alt.Y(f"{field}:Q", title=title, axis=axis, scale=alt.Scale(**scale))


def day_tip() -> "alt.Tooltip":
    """Which day."""
    import altair as alt  # noqa: PLC0415

    return alt.Tooltip("day:T", title="day", format="%Y-%m-%d")


def usd_tip(field: str, title: str, decimals: str = "$,.2f") -> "alt.Tooltip":
    """How much."""
    import altair as alt  # noqa: PLC0415

    return alt.Tooltip(f"{field}:Q", title=title, format=decimals)


def in_order(names: Iterable[str]) -> list[str]:
    """RunPod first, where most work is: a full line, and the first of a legend."""
    return sorted(set(names), key=lambda name: (not name.startswith("runpod"), name))


def by_backend(names: Iterable[str], symbol: str = "square") -> "alt.Color":
    """Backends in their colours. symbol: of the legend, `stroke` for lines."""
    known = in_order(names)
    labels = [wording.backend(name) for name in known]
    return colour(labels, [of_backend(name) for name in known], symbol)


def by_place(names: Sequence[str]) -> "alt.Color":
    """Backends and skus: the first sku has its backend's colour, others those that are left."""
    left = [variable(name) for name in ("pink", "brown", "sky")]
    found: list[str] = []
    for name in names:
        own = of_backend(name.partition("/")[0])
        free = [one for one in (own, *left) if one not in found]
        found.append(free[0] if free else own)
    return colour([wording.place(name) for name in names], found, "stroke")


def colour(labels: Sequence[str], colours: Sequence[str], symbol: str) -> "alt.Color":
    """A legend in short rows, so that a phone has room for it."""
    import altair as alt  # noqa: PLC0415

    scale = alt.Scale(domain=list(labels), range=list(colours))
    columns = min(len(labels), _ROW_OF_LEGEND) if max(map(len, labels), default=0) < 10 else 2  # noqa: PLR2004
    legend = alt.Legend(columns=columns, symbolType=symbol, symbolOpacity=1, symbolSize=140)
    return alt.Color("backend:N", title=None, scale=scale, legend=legend)


def dashes(names: Sequence[str]) -> "alt.StrokeDash":
    """Lines of backends or skus differ in more than in colour."""
    import altair as alt  # noqa: PLC0415

    backends = [name.partition("/")[0] for name in names]
    ranges = [dash_of(one, backends[:place].count(one)) for place, one in enumerate(backends)]
    scale = alt.Scale(domain=[wording.place(name) for name in names], range=ranges)
    return alt.StrokeDash("backend:N", title=None, scale=scale)


def spec(drawn: Any, height: int = _HEIGHT) -> Spec:  # noqa: ANN401  # any of Altair's charts
    """As wide as the page, in its colours."""
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
