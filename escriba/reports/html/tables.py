"""The table under each chart: headings and rows of text; the first column is a name."""

from dataclasses import dataclass
from decimal import Decimal

from escriba.reports import comparison, wording
from escriba.reports.backend_advice import options_at, usual_hours
from escriba.reports.figures import Figures
from escriba.reports.periods import Period
from escriba.reports.wording import backend, changed, clock, hours, percent, usd


@dataclass(frozen=True, slots=True)
class Table:
    """One table. folded: shown on demand, since it is long."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    folded: bool = False


def by_backend(figures: Figures) -> Table:
    """The cost of each backend and of an hour of audio on it, with the change."""
    now, before = figures.periods.now, figures.periods.before
    known = comparison.is_comparable(figures)
    rows = []
    for one in comparison.sums_by(figures, lambda row: row.backend):
        price = comparison.usd_per_audio_hour(figures, now, one.name)
        old = comparison.usd_per_audio_hour(figures, before, one.name) if known else None
        audio = hours(comparison.audio_hours(figures, now, one.name))
        ratio = changed(comparison.change(price, old))
        spent = (usd(one.usd), percent(one.share), changed(one.change))
        rows.append((backend(one.name), *spent, audio, usd(price), ratio))
    headings = ("Backend", "Spent", "Share", "Change", "Audio", "Per audio hour", "Change")
    return Table(f"By backend{_against(known)}", headings, tuple(rows))


def by_tenant(figures: Figures) -> Table:
    """The cost of each tenant."""
    return _sums(figures, "Tenant")


def by_category(figures: Figures) -> Table:
    """The cost of each category."""
    return _sums(figures, "Purpose")


def _sums(figures: Figures, heading: str) -> Table:
    sums = comparison.sums_by(
        figures, lambda row: row.tenant if heading == "Tenant" else row.category
    )
    rows = [
        (
            wording.NAMES.get(one.name, one.name),
            usd(one.usd),
            percent(one.share),
            usd(one.before_usd),
            changed(one.change),
        )
        for one in sums
    ]
    headings = (heading, "Spent", "Share", "Previous", "Change")
    against = _against(comparison.is_comparable(figures))
    return Table(f"By {heading.lower()}{against}", headings, tuple(rows))


def _against(is_known: bool) -> str:  # noqa: FBT001  # one word
    return ", compared with the previous period" if is_known else ""


def days(figures: Figures) -> Table:
    """Each day of the period."""
    odd = {one.day: one for one in figures.anomalies if one.scope == "all"}
    now = figures.periods.now
    rows = []
    for day in sorted({row.day for row in figures.spend if row.day in now}):
        alone = Period(day, day)
        note = f"unusual; {usd(odd[day].usual_usd)} is typical" if day in odd else ""
        spent = usd(comparison.spent(figures.spend, alone))
        rows.append((f"{day:%Y-%m-%d}", spent, hours(comparison.audio_hours(figures, alone)), note))
    return Table("Day by day", ("Day", "Spent", "Audio", "Note"), tuple(rows), folded=True)


def weeks(figures: Figures) -> Table:
    """USD per hour of audio, at the end of each week."""
    names = sorted({row.backend for row in figures.speed})
    curves = {name: dict(comparison.by_week(figures, name)) for name in names}
    ends = sorted({day for curve in curves.values() for day in curve}, reverse=True)[::7]
    rows = [
        (f"{day:%Y-%m-%d}", *(usd(curves[name].get(day)) for name in names)) for day in ends[::-1]
    ]
    changes = [
        f"{wording.place(f'{one.backend}/{one.sku}')} from {usd(one.old_usd_per_hour)} to "
        f"{usd(one.new_usd_per_hour)} per hour on {one.day:%Y-%m-%d}"
        for one in figures.price_changes
    ]
    caption = f"US$ per hour of audio, over {wording.seven_days(figures)} each of these days"
    if changes:
        caption += f". Price changes: {'; '.join(changes)}"
    return Table(caption, ("Day", *map(backend, names)), tuple(rows))


def speeds(figures: Figures) -> Table:
    """RTF, attempts and failures of each sku; the RTF is that of its median day."""
    rows = []
    now = figures.periods.now
    for name in sorted({row.name for row in figures.speed}):
        own = [row for row in figures.speed if row.name == name and row.day in now]
        attempts, failed = sum(r.attempts for r in own), sum(r.failed for r in own)
        p50 = _middle([r.rtf_p50 for r in own])
        p95 = _middle([r.rtf_p95 for r in own])
        share = percent(failed / attempts) if attempts else "–"
        rows.append((wording.place(name), f"{attempts:,}", p50, p95, share))
    headings = ("Where", "Attempts", "RTF P50", "RTF P95", "Failed")
    return Table("Speed on the median day, and failures", headings, tuple(rows))


def _middle(values: list[float | None]) -> str:
    known = sorted(value for value in values if value is not None)
    return f"{known[len(known) // 2]:.3f}" if known else "–"


def waste(figures: Figures) -> Table:
    """Money that produced no transcript."""
    before = comparison.wasted(figures, figures.periods.before)
    known = comparison.is_comparable(figures)
    rows = []
    for (kind, name), (cost, attempts) in comparison.wasted(figures, figures.periods.now).items():
        old = before.get((kind, name), (Decimal(0), 0))[0] if known else None
        times = f"{attempts:,}" if attempts else "–"
        ratio = changed(comparison.change(cost, old))
        rows.append((wording.WASTE[kind], backend(name), usd(cost), times, ratio))
    headings = ("What", "Where", "Cost", "Attempts", "Change")
    return Table("Waste and idle", headings, tuple(rows))


def options(figures: Figures) -> Table:
    """What a typical day would cost on each backend and sku."""
    a_day = usual_hours(figures)
    found = sorted(options_at(figures.options, a_day), key=lambda one: one.usd_a_day)
    rows = [
        (
            wording.place(one.name),
            usd(one.usd_a_day),
            f"{one.rtf:.3f}" if one.unit != "audio_minute" else "–",
            f"{one.jobs:,} jobs" if one.jobs else "planned",
        )
        for one in found
    ]
    caption = (
        f"A day with {hours(a_day)} of audio, the median; machines priced by the hour are always on"
    )
    return Table(caption, ("Where", "Per day", "RTF", "RTF from"), tuple(rows), folded=True)


def budgets(figures: Figures) -> Table:
    """Spend, forecast and limit of the month, and the budget's owners where there are any."""
    is_owned = any(one.owners for one in figures.burn)
    rows = [
        (
            "All tenants" if one.scope == "all" else one.scope,
            usd(one.spent_usd),
            "–" if one.level == "past" else usd(one.forecast_usd),
            "–" if one.level == "past" else f"{usd(one.low_usd)} to {usd(one.high_usd)}",
            usd(one.month_limit_usd),
            {"past": "ended", "ok": "within", "warn": "warning", "stop": "stop"}[one.level],
            *([", ".join(one.owners) or "none"] if is_owned else []),
        )
        for one in figures.burn
    ]
    headings = (
        "Scope",
        "So far",
        "Forecast",
        "95 % range",
        "Limit",
        "Level",
        *(["Owners"] if is_owned else []),
    )
    month = f"{figures.burn[0].month:%Y-%m}" if figures.burn else ""
    return Table(f"The month {month}".strip(), headings, tuple(rows))


def recordings(figures: Figures) -> Table:
    """The ten most expensive recordings."""
    rows = [
        (
            one.name,
            clock(one.audio_seconds),
            f"{one.attempts:,}",
            usd(one.usd),
            usd(one.wasted_usd + one.beside_usd),
            usd(one.usd_per_audio_hour),
        )
        for one in figures.recordings
    ]
    headings = ("Recording", "Audio", "Attempts", "Cost", "Waste in it", "Per audio hour")
    return Table("Ten most expensive recordings", headings, tuple(rows))
