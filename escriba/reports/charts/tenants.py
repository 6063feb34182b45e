"""The cost per hour of audio of each tenant, month by month."""

from escriba.reports.figures import Figures

from .drawing import Rows, Spec, chart, money, spec, usd_tip
from .palette import variable

_MOST_LINES = 6
_COLOURS = ("blue", "orange", "green", "pink", "sky", "brown")


def unit_costs(figures: Figures) -> Spec | None:
    """Lines for the most expensive tenants; None without audio."""
    import altair as alt  # noqa: PLC0415

    names = figures.most_expensive_tenants()[:_MOST_LINES]
    data: Rows = [
        {
            "month": f"{one.month:%Y-%m}",
            "tenant": one.tenant,
            "usd": float(one.usd_per_audio_hour),
            "hours": one.audio_hours,
        }
        for one in figures.unit_costs
        if one.tenant in names and one.usd_per_audio_hour is not None
    ]
    if not data:
        return None
    colours = alt.Scale(domain=names, range=[variable(one) for one in _COLOURS[: len(names)]])
    lines = chart(data).mark_line(strokeWidth=2, point={"size": 40})
    return spec(
        lines.encode(
            x=alt.X("month:O", title=None, axis=alt.Axis(labelAngle=0)),
            y=money("usd", "US$ per hour of audio", "$,.2f"),
            color=alt.Color("tenant:N", scale=colours, title=None, sort=names),
            tooltip=[
                alt.Tooltip("tenant:N"),
                alt.Tooltip("month:O"),
                usd_tip("usd", "US$ per hour of audio", "$,.4f"),
                alt.Tooltip("hours:Q", title="hours of audio", format=",.1f"),
            ],
        )
    )
