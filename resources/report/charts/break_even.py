"""A day's cost by hours of audio; a machine's line ends at what it can do in a day."""

from pipelines.billing.report import wording
from pipelines.billing.report.backends import usual_hours
from pipelines.billing.report.figures import Figures
from resources.report.palette import variable

from .drawing import Rows, Spec, by_place, chart, dashes, in_order, spec, usd_tip

_LEAST_HOURS, _MOST_HOURS = 1.0, 240.0  # a fleet with longer days has a longer axis
_HOURS = [1, 2, 5, 10, 24, 50, 100, 240, 500, 1000, 2400]
_USD = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000]
_MOST_LINES = 6
_HEIGHT = 320
_USUAL = ("runpod/l4", "aws_gpu/g5.xlarge", "openai/whisper-1")  # what a fleet may begin with


def break_even(figures: Figures) -> Spec | None:
    """Both axes are logarithmic: a price by the second is a slope, a machine a level line."""
    import altair as alt  # noqa: PLC0415

    names, most = _shown(figures), _most_hours(figures)
    data: Rows = [
        {
            "hours": one.audio_hours_a_day,
            "usd": float(one.usd_a_day),
            "backend": wording.place(one.name),
        }
        for one in figures.options
        if one.name in names and one.can_do_it and _LEAST_HOURS <= one.audio_hours_a_day <= most
    ]
    if not data:
        return None
    x = alt.X(
        "hours:Q",
        title="hours of audio a day",
        scale=alt.Scale(type="log", domain=[_LEAST_HOURS, most], nice=False),
        axis=alt.Axis(values=[one for one in _HOURS if one <= most], format="d"),
    )
    y = alt.Y(
        "usd:Q",
        title="US$ a day",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="$~g", values=_USD),
    )
    tips = ["backend:N", alt.Tooltip("hours:Q", title="hours of audio"), usd_tip("usd", "a day")]
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


def _most_hours(figures: Figures) -> float:
    """The end of the axis: the first row of the table beyond a usual day."""
    usual = usual_hours(figures)
    beyond = {float(one.audio_hours_a_day) for one in figures.options} | {_MOST_HOURS}
    return max(_MOST_HOURS, min((one for one in beyond if one >= usual), default=max(beyond)))


def _here(figures: Figures, most: float) -> list[object]:
    """Where a usual day stands, with its word on the side that has room."""
    import altair as alt  # noqa: PLC0415

    usual = usual_hours(figures)
    now = min(most, max(_LEAST_HOURS, usual))
    beyond = "" if now == usual else f": {wording.hours(usual)}"  # the axis does not reach it
    mark = chart([{"hours": now, "label": f"a usual day{beyond}"}]).encode(x="hours:Q")
    is_right = now * now > _LEAST_HOURS * most
    words = mark.mark_text(
        align="right" if is_right else "left",
        dx=-6 if is_right else 6,
        y=alt.expr("height - 8") if is_right else 8,  # where no line is: they climb to the right
        color=variable("alert"),
        fontWeight="bold",
    )
    rule = mark.mark_rule(color=variable("alert"), strokeDash=[4, 3])
    return [rule, words.encode(text="label:N")]


def _shown(figures: Figures) -> list[str]:
    """Where most was done; those that are usual where little was."""
    jobs = {one.name: one.jobs for one in figures.options}
    used = sorted((name for name in jobs if jobs[name]), key=lambda name: -jobs[name])
    more = [name for name in _USUAL if name in jobs and name not in used]
    return in_order((used + more)[:_MOST_LINES])
