"""Advice on where to send work: an expensive backend, a machine that is always on."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from statistics import median

from .advice import Advice
from .comparison import audio_hours, usd_per_audio_hour
from .figures import BackendOption, Figures
from .wording import backend, hours, place, usd

_DEARER = Decimal("1.5")
_LEAST_HOURS = 5.0  # of audio on each backend, before their prices are compared
_UNHEALTHY_SHARE = 0.1  # of attempts failed: on such a day the backend could not have taken more
_LEAST_JOBS = 20  # measured, before a machine's speed is trusted
_MOST_BUSY_HOURS = 0.8 * 24  # of a machine's day, since work arrives unevenly
_LEAST_GAIN = Decimal("0.1")


def cheaper_backend(figures: Figures) -> Iterator[Advice]:
    """Work that another backend does for much less, without days on which that one was down."""
    prices = _prices(figures)
    if len(prices) < 2:  # noqa: PLR2004  # two to compare
        return
    usable = [name for name in prices if figures.can_send_to(name)]
    if not usable:
        return
    best = min(usable, key=lambda name: prices[name])
    healthy = _on_healthy_days(figures, best)
    for name, dear in _prices(healthy).items():
        cheap = prices[best]
        if name == best or dear < cheap * _DEARER:
            continue
        moved = audio_hours(healthy, figures.periods.now, name)
        yield Advice(
            title=f"{backend(best)} costs {usd(cheap)} per hour of audio, "
            f"{backend(name)} {usd(dear)}",
            what_to_do=f"Prefer {backend(best)}: set `PRIMARY_BACKEND={best}` or "
            "`BACKEND_SELECTION_PRIORITY=cost`. The route of an attempt says why it went "
            "elsewhere.",
            saving_usd=(dear - cheap) * Decimal(repr(moved)),
            rests_on=f"{hours(moved)} of audio on {backend(name)} on days when {backend(best)} "
            "was healthy; prices include failed attempts, boot and idle time.",
        )


def _prices(figures: Figures) -> dict[str, Decimal]:
    """USD per hour of audio, for backends that did enough of it."""
    period, found = figures.periods.now, {}
    for name in {row.backend for row in figures.speed}:
        price = usd_per_audio_hour(figures, period, name)
        if price is not None and audio_hours(figures, period, name) >= _LEAST_HOURS:
            found[name] = price
    return found


def _on_healthy_days(figures: Figures, name: str) -> Figures:
    """The figures of days on which that backend worked and rarely failed."""
    attempts: dict[object, int] = {}
    failed: dict[object, int] = {}
    for row in figures.speed:
        if row.backend == name:
            attempts[row.day] = attempts.get(row.day, 0) + row.attempts
            failed[row.day] = failed.get(row.day, 0) + row.failed
    days = {
        day for day, count in attempts.items() if count and failed[day] / count <= _UNHEALTHY_SHARE
    }
    return replace(
        figures,
        spend=tuple(row for row in figures.spend if row.day in days),
        speed=tuple(row for row in figures.speed if row.day in days),
    )


def always_on_machine(figures: Figures) -> Iterator[Advice]:
    """What the audio of a typical day would cost on one machine that is always on."""
    period = figures.periods.now
    a_day = usual_hours(figures)
    price = usd_per_audio_hour(figures, period)
    options = [
        one
        for one in options_at(figures.options, a_day)
        if one.jobs >= _LEAST_JOBS and figures.can_send_to(one.backend)
    ]
    if not options or price is None:
        return
    now = price * Decimal(repr(a_day))
    # a backend that is paid by use and already costs less needs no machine that is always on
    by_use = min([price, *_prices(figures).values()]) * Decimal(repr(a_day))
    best = min(options, key=lambda one: one.usd_a_day)
    if best.unit != "machine_hour" or best.usd_a_day > by_use * (1 - _LEAST_GAIN):
        return  # nothing to set up for a backend paid by use: cheaper_backend reports it
    yield Advice(
        title=f"At {hours(a_day)} of audio a day, one {place(best.name)} that is always on is "
        "the cheapest option",
        what_to_do=f"Keep one {place(best.name)} on all day. At an RTF of {best.rtf:.3f} it does "
        "this much, one job after another; on a busy day the last jobs finish later.",
        saving_usd=(now - best.usd_a_day) * period.days,
        rests_on=f"{usd(now)} a day now, {usd(best.usd_a_day)} on that machine; RTF from "
        f"{best.jobs:,} jobs.",
    )


def usual_hours(figures: Figures) -> float:
    """Hours of audio on the median day, so that one large archive does not count as typical."""
    days: dict[object, float] = {}
    for row in figures.speed:
        if row.day in figures.periods.now:
            days[row.day] = days.get(row.day, 0.0) + row.audio_hours
    nothing = [0.0] * (figures.periods.now.days - len(days))
    return median([*days.values(), *nothing])


def options_at(options: tuple[BackendOption, ...], a_day: float) -> list[BackendOption]:
    """Each option that can do this many hours of audio a day, with its cost.

    A machine costs a whole day whatever it does; other options are paid in proportion.
    """
    most: dict[str, BackendOption] = {}
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
