"""Advice about where work goes: a backend that is dearer than another, a machine always on."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from statistics import median

from .advice import Advice
from .comparison import audio_hours, usd_per_audio_hour
from .figures import Figures, Option
from .wording import backend, hours, place, usd

_DEARER = Decimal("1.5")
_LEAST_HOURS = 5.0  # of audio at either place, before their prices are compared
_SICK = 0.1  # of attempts failed: on such a day nobody could have gone there
_LEAST_JOBS = 20  # measured, before a machine's speed is believed
_MOST_BUSY_HOURS = 0.8 * 24  # of a machine's day: work comes unevenly
_LEAST_GAIN = Decimal("0.1")


def dearer_backend(figures: Figures) -> Iterator[Advice]:
    """Work that another backend does for much less; days on which that one was ill apart."""
    prices = _prices(figures)
    if len(prices) < 2:  # noqa: PLR2004  # two to compare
        return
    ours = [name for name in prices if figures.can_send_to(name)]
    if not ours:
        return
    best = min(ours, key=lambda name: prices[name])
    well = _on_well_days(figures, best)
    for name, dear in _prices(well).items():
        cheap = prices[best]
        if name == best or dear < cheap * _DEARER:
            continue
        moved = audio_hours(well, figures.periods.now, name)
        yield Advice(
            title=f"{backend(best)} does for {usd(cheap)} an hour of audio what "
            f"{backend(name)} does for {usd(dear)}",
            what_to_do=f"Let {backend(best)} have these jobs first: `PRIMARY_BACKEND={best}`, or "
            "`BACKEND_SELECTION_PRIORITY=cost`; and see in the routes of attempts why they went "
            "elsewhere.",
            saving_usd=(dear - cheap) * Decimal(repr(moved)),
            rests_on=f"{hours(moved)} of audio at {backend(name)} on days when {backend(best)} "
            "was well; prices with failed attempts, starting and waiting.",
        )


def _prices(figures: Figures) -> dict[str, Decimal]:
    """USD for an hour of audio, of backends with enough of it."""
    period, found = figures.periods.now, {}
    for name in {row.backend for row in figures.speed}:
        price = usd_per_audio_hour(figures, period, name)
        if price is not None and audio_hours(figures, period, name) >= _LEAST_HOURS:
            found[name] = price
    return found


def _on_well_days(figures: Figures, name: str) -> Figures:
    """Only of days on which that backend did something, and did not fail much."""
    attempts: dict[object, int] = {}
    failed: dict[object, int] = {}
    for row in figures.speed:
        if row.backend == name:
            attempts[row.day] = attempts.get(row.day, 0) + row.attempts
            failed[row.day] = failed.get(row.day, 0) + row.failed
    days = {day for day, count in attempts.items() if count and failed[day] / count <= _SICK}
    return replace(
        figures,
        spend=tuple(row for row in figures.spend if row.day in days),
        speed=tuple(row for row in figures.speed if row.day in days),
    )


def cheapest_at(figures: Figures) -> Iterator[Advice]:
    """What the audio of a usual day would cost on one machine that is always on."""
    period = figures.periods.now
    a_day = usual_hours(figures)
    price = usd_per_audio_hour(figures, period)
    options = [
        one
        for one in at_hours(figures.options, a_day)
        if one.jobs >= _LEAST_JOBS and figures.can_send_to(one.backend)
    ]
    if not options or price is None:
        return
    now = price * Decimal(repr(a_day))
    # where something is paid by use and costs less already, no machine needs to be on
    by_use = min([price, *_prices(figures).values()]) * Decimal(repr(a_day))
    best = min(options, key=lambda one: one.usd_a_day)
    if best.unit != "machine_hour" or best.usd_a_day > by_use * (1 - _LEAST_GAIN):
        return  # by the second or minute there is nothing to set up: dearer_backend tells of it
    yield Advice(
        title=f"At {hours(a_day)} of audio a day, one {place(best.name)} that is always on is "
        "cheapest",
        what_to_do=f"Keep one {place(best.name)} on all day; it does so much with an RTF of "
        f"{best.rtf:.3f}, one job after the other: on a full day the last ones come later.",
        saving_usd=(now - best.usd_a_day) * period.days,
        rests_on=f"{usd(now)} a day now, {usd(best.usd_a_day)} there; RTF of {best.jobs:,} jobs.",
    )


def usual_hours(figures: Figures) -> float:
    """Of audio on the day in the middle: an archive that was brought on one day is not usual."""
    days: dict[object, float] = {}
    for row in figures.speed:
        if row.day in figures.periods.now:
            days[row.day] = days.get(row.day, 0.0) + row.audio_hours
    nothing = [0.0] * (figures.periods.now.days - len(days))
    return median([*days.values(), *nothing])


def at_hours(options: tuple[Option, ...], a_day: float) -> list[Option]:
    """Each place that can do so many hours of audio a day, none and thousands too.

    A machine costs its day, whatever it does; all else is paid in proportion.
    """
    most: dict[str, Option] = {}
    for one in options:
        if one.name not in most or one.audio_hours_a_day > most[one.name].audio_hours_a_day:
            most[one.name] = one
    found = []
    for _, one in sorted(most.items()):
        if one.unit != "machine_hour":
            share = Decimal(repr(a_day)) / max(1, one.audio_hours_a_day)
            found.append(replace(one, usd_a_day=one.usd_a_day * share))
        elif a_day * one.rtf <= _MOST_BUSY_HOURS:
            found.append(one)
    return found
