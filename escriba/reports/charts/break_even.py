"""The cost of a day by hours of audio; a machine's line ends at its daily capacity."""

from typing import TYPE_CHECKING

from escriba.reports import wording
from escriba.reports.backend_advice import usual_hours
from escriba.reports.figures import Figures

from .drawing import Rows, Spec, by_place, chart, dashes, in_order, spec, usd_tip
from .palette import variable

if TYPE_CHECKING:
    import altair as alt

_LEAST_HOURS, _MOST_HOURS = 1.0, 240.0  # the axis grows with larger typical days
_HOURS = [1, 2, 5, 10, 24, 50, 100, 240, 500, 1000, 2400]
_USD = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000]
_MOST_LINES = 6
_HEIGHT = 320
_USUAL = ("runpod/l4", "aws_gpu/g5.xlarge", "openai/whisper-1")  # shown if few have been used


def break_even(figures: Figures) -> Spec | None:
    """The chart, with logarithmic axes: a price per second is a slope, a machine a level line."""
    import altair as alt  # noqa: PLC0415

    names, most = _shown(figures), _most_hours(figures)
    data = _points(figures, names, most)
    if not data:
        return None
    x, y = _axes(most)
    tips = ["backend:N", alt.Tooltip("hours:Q", title="hours of audio"), usd_tip("usd", "per day")]
    lines = (
        chart(data)
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=26))
        .encode(
            x=x,
            y=y,
            color=by_place(names),
            strokeDash=dashes(names),
            tooltip=tips,
        )
    )
    return spec(alt.layer(lines, *_here(figures, most)), _HEIGHT)


def _points(figures: Figures, names: list[str], most: float) -> Rows:
    """The options on the axis that the machine can do."""
    return [
        {
            "hours": one.audio_hours_a_day,
            "usd": float(one.usd_a_day),
            "backend": wording.place(one.name),
        }
        for one in figures.options
        if one.name in names and one.can_do_it and _LEAST_HOURS <= one.audio_hours_a_day <= most
    ]


def _axes(most: float) -> "tuple[alt.X, alt.Y]":
    import altair as alt  # noqa: PLC0415

    x = alt.X(
        "hours:Q",
        title="hours of audio per day",
        scale=alt.Scale(type="log", domain=[_LEAST_HOURS, most], nice=False),
        axis=alt.Axis(values=[one for one in _HOURS if one <= most], format="d"),
    )
    y = alt.Y(
        "usd:Q",
        title="US$ per day",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="$~g", values=_USD),
    )
    return x, y


def _most_hours(figures: Figures) -> float:
    """The end of the axis: the first row of the table beyond a typical day."""
    usual = usual_hours(figures)
    beyond = {float(one.audio_hours_a_day) for one in figures.options} | {_MOST_HOURS}
    return max(_MOST_HOURS, min((one for one in beyond if one >= usual), default=max(beyond)))


def _here(figures: Figures, most: float) -> "list[alt.Chart]":
    """The line that marks a typical day, labeled on the side that has room."""
    import altair as alt  # noqa: PLC0415

    usual = usual_hours(figures)
    now = min(most, max(_LEAST_HOURS, usual))
    beyond = "" if now == usual else f": {wording.hours(usual)}"  # outside the axis
    mark = chart([{"hours": now, "label": f"a typical day{beyond}"}]).encode(x="hours:Q")
    is_right = now * now > _LEAST_HOURS * most
    words = mark.mark_text(
        align="right" if is_right else "left",
        dx=-6 if is_right else 6,
        y=alt.expr("height - 8") if is_right else 8,  # clear of the lines, which rise to the right
        color=variable("alert"),
        fontWeight="bold",
    )
    rule = mark.mark_rule(color=variable("alert"), strokeDash=[4, 3])
    return [rule, words.encode(text="label:N")]


def _shown(figures: Figures) -> list[str]:
    """The options with the most jobs, filled up with common ones."""
    jobs = {one.name: one.jobs for one in figures.options}
    used = sorted((name for name in jobs if jobs[name]), key=lambda name: -jobs[name])
    more = [name for name in _USUAL if name in jobs and name not in used]
    return in_order((used + more)[:_MOST_LINES])
