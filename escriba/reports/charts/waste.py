"""Money that produced no transcript, by kind and backend."""

from escriba.reports import comparison, wording
from escriba.reports.figures import Figures

from .drawing import Spec, by_backend, chart, spec, usd_tip

_BAR_HEIGHT, _LEAST_HEIGHT = 34, 110


def waste(figures: Figures) -> Spec | None:
    """A bar chart, the most expensive kind first; None if nothing was wasted."""
    import altair as alt  # noqa: PLC0415

    found = comparison.wasted(figures, figures.periods.now)
    found = {where: sums for where, sums in found.items() if sums[0]}
    if not found:
        return None
    data = [
        {"kind": wording.WASTE[kind], "backend": wording.backend(name), "usd": float(usd)}
        for (kind, name), (usd, _) in found.items()
    ]
    drawn = (
        chart(data)
        .mark_bar()
        .encode(
            y=alt.Y("kind:N", title=None, sort="-x", axis=alt.Axis(labelLimit=150)),
            x=alt.X("usd:Q", title="US$", axis=alt.Axis(format="$,~f", tickCount=5)),
            color=by_backend(name for _, name in found),
            tooltip=["kind:N", "backend:N", usd_tip("usd", "wasted")],
        )
    )
    kinds = len({row["kind"] for row in data})
    return spec(drawn, max(_LEAST_HEIGHT, _BAR_HEIGHT * kinds + 60))
