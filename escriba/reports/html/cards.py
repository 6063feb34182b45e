"""The cards with the key figures at the top of the page."""

from dataclasses import dataclass

from escriba.reports.comparison import (
    audio_hours,
    change,
    is_comparable,
    spent,
    usd_per_audio_hour,
    wasted,
)
from escriba.reports.figures import ZERO, BudgetUse, Figures
from escriba.reports.wording import changed, hours, percent, usd


@dataclass(frozen=True, slots=True)
class FigureCard:
    """One key figure; mood: good, bad or plain."""

    name: str
    value: str
    note: str
    mood: str = "plain"


def cards(figures: Figures) -> list[FigureCard]:
    """The key figures of the period; the month's forecast comes last."""
    now, before = figures.periods.now, figures.periods.before
    known = is_comparable(figures)
    total, old = spent(figures.spend, now), spent(figures.spend, before) if known else None
    price = usd_per_audio_hour(figures, now)
    old_price = usd_per_audio_hour(figures, before) if known else None
    audio = audio_hours(figures, now)
    lost = sum((cost for cost, _ in wasted(figures, now).values()), ZERO)
    share = float(lost / total) if total else None
    found = [
        _card("Spent", usd(total), change(total, old)),
        _card("Per hour of audio", usd(price), change(price, old_price), less_is_good=True),
        _card(
            "Audio transcribed",
            hours(audio),
            change(audio, audio_hours(figures, before) if known else None),
        ),
        FigureCard("Waste and idle", usd(lost), f"{percent(share)} of what was spent"),
    ]
    burn = next((one for one in figures.burn if one.scope == "all"), None)
    return [*found, _budget_card(burn)] if burn else found


def _card(name: str, value: str, ratio: float | None, *, less_is_good: bool = False) -> FigureCard:
    note = "no comparison" if ratio is None else f"{changed(ratio)} from the previous period"
    if not less_is_good or ratio is None or changed(ratio) == "unchanged":
        return FigureCard(name, value, note)
    return FigureCard(name, value, note, "bad" if ratio > 0 else "good")


def _budget_card(burn: BudgetUse) -> FigureCard:
    limit = burn.month_limit_usd
    if burn.level == "past":
        note = f"limit {usd(limit)}" if limit is not None else "no limit"
        return FigureCard(f"Month {burn.month:%Y-%m}", usd(burn.spent_usd), note)
    if limit is None:
        return FigureCard("Forecast for the month", usd(burn.forecast_usd), "no limit set")
    mood = "good" if burn.level == "ok" else "bad"
    return FigureCard("Forecast for the month", usd(burn.forecast_usd), f"limit {usd(limit)}", mood)
