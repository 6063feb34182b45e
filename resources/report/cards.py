"""The figures at the top of the page."""

from dataclasses import dataclass

from pipelines.billing.report.comparison import (
    audio_hours,
    change,
    is_comparable,
    spent,
    usd_per_audio_hour,
    wasted,
)
from pipelines.billing.report.figures import ZERO, Burn, Figures
from pipelines.billing.report.wording import changed, hours, percent, usd


@dataclass(frozen=True, slots=True)
class Card:
    """One of the figures at the top; mood: good, bad or plain."""

    name: str
    value: str
    note: str
    mood: str = "plain"


def cards(figures: Figures) -> list[Card]:
    """Of the period; the month's forecast last."""
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
        _card("An hour of audio", usd(price), change(price, old_price), less_is_good=True),
        _card(
            "Audio done",
            hours(audio),
            change(audio, audio_hours(figures, before) if known else None),
        ),
        Card("Waste and idle", usd(lost), f"{percent(share)} of what was spent"),
    ]
    burn = next((one for one in figures.burn if one.scope == "all"), None)
    return [*found, _budget_card(burn)] if burn else found


def _card(name: str, value: str, ratio: float | None, *, less_is_good: bool = False) -> Card:
    note = "nothing to compare with" if ratio is None else f"{changed(ratio)} against before"
    if not less_is_good or ratio is None or changed(ratio) == "the same":
        return Card(name, value, note)
    return Card(name, value, note, "bad" if ratio > 0 else "good")


def _budget_card(burn: Burn) -> Card:
    limit = burn.month_limit_usd
    if burn.level == "past":
        note = f"limit {usd(limit)}" if limit is not None else "no limit"
        return Card(f"Month {burn.month:%Y-%m}", usd(burn.spent_usd), note)
    if limit is None:
        return Card("Month's forecast", usd(burn.forecast_usd), "no limit is set")
    mood = "good" if burn.level == "ok" else "bad"
    return Card("Month's forecast", usd(burn.forecast_usd), f"limit {usd(limit)}", mood)
