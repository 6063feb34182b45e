"""The lives of a machine's workers on one day, and the jobs in them.

A life is paid from its beginning to its end; what its jobs tell of it is a little less, since a
container's clock starts after the provider's, and nobody tells when a worker really went.
"""

from dataclasses import dataclass

import numpy as np

from .meters import Real, Whole
from .plan import DAY, HOUR, SECOND, Machine, Plan
from .work import LOST, Work, cut_short, draw_work, how_many, is_out

_NIGHT = (9, 9, 9, 9, 8, 7, 5, 4, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 4, 5, 6, 7, 8, 8)  # by hour, UTC
_BEAT_SECONDS = 15.0
_UNSEEN_START = (0.2, 1.5)  # seconds that are paid before a container knows of itself
_UNSEEN_END = (0.0, 1.5)  # after the idle timeout, until a worker is gone
_PAUSE_SECONDS = 2.0  # between jobs, where the next one waits already
_LULL_SHARE = 0.15  # of pauses that are longer
_BOOT_SPREAD = 0.25
_OUTAGE_EMPTY = 400.0  # times as many boot for nothing: what crashes is started again


@dataclass(frozen=True)
class Lives:
    """Moments in microseconds; those without a job are `empty`, at the end."""

    began: Whole
    seen: Whole  # when its container knows of itself
    ready: Whole
    ended: Whole
    paid_until: Whole  # as billed: rounded up
    with_jobs: int


@dataclass(frozen=True)
class Jobs:
    """In the order of lives. until: when it ended; known_until: as far as anybody can tell."""

    work: Work
    life: Whole
    sequence: Whole
    since: Whole
    until: Whole
    known_until: Whole


def live(plan: Plan, machine: Machine, day: int, dice: np.random.Generator) -> tuple[Lives, Jobs]:
    """All that one machine did on one day."""
    count = how_many(plan, machine, day, dice)
    work = draw_work(plan, machine, day, count, dice)
    if machine.is_api:
        return _no_lives(), _calls(work, day, dice)
    life, sequence = _deal(count, machine, dice)
    lives = int(life[-1]) + 1 if count else 0
    is_last = np.append(life[1:] != life[:-1], np.full(min(count, 1), fill_value=True))
    killed = dice.random(lives) < machine.killed
    stops = dice.random(lives) < machine.stops
    work = cut_short(work, is_last & killed[life], stops[life], dice)
    empty = dice.poisson(
        lives * machine.empty * (_OUTAGE_EMPTY if is_out(plan, machine, day) else 1)
    )
    began = _moments(day, lives + int(empty), dice)
    boot = machine.boot_seconds * dice.lognormal(0.0, _BOOT_SPREAD, len(began))
    ready = began + _micros(boot)
    since, until = _line_up(ready[:lives], work, (life, sequence), machine, dice)
    tail = _micros(machine.idle_seconds + dice.uniform(*_UNSEEN_END, len(began)))
    ended = ready + tail
    ended[:lives] = until[is_last] + np.where(killed, 0, tail[:lives])
    return (
        Lives(
            began=began,
            seen=np.minimum(began + _micros(dice.uniform(*_UNSEEN_START, len(began))), ready),
            ready=ready,
            ended=ended,
            paid_until=began + _rounded_up(ended - began, machine),
            with_jobs=lives,
        ),
        Jobs(work, life, sequence, since, until, _known(work, since, until, dice)),
    )


def _deal(count: int, machine: Machine, dice: np.random.Generator) -> tuple[Whole, Whole]:
    """Which life each job is in, from 0, and the how manieth of it it is, from 1."""
    lengths = dice.geometric(1 / machine.jobs_a_life, count)
    life = np.repeat(np.arange(count), lengths)[:count]
    first = np.searchsorted(life, life)
    return life, np.arange(count) - first + 1


def _line_up(
    ready: Whole,
    work: Work,
    place: tuple[Whole, Whole],
    machine: Machine,
    dice: np.random.Generator,
) -> tuple[Whole, Whole]:
    """Beginning and end of each job: one after the other, with pauses that no timeout ends."""
    life, sequence = place
    count = len(life)
    pause = dice.exponential(_PAUSE_SECONDS, count)
    lull = dice.uniform(0, machine.idle_seconds, count)
    pause = np.where(dice.random(count) < _LULL_SHARE, lull, pause)
    waits = _micros(np.minimum(pause, machine.idle_seconds * 0.95))
    ends = np.cumsum(waits + work.run)
    before = (ends - waits - work.run)[sequence == 1] if count else ends
    until = ready[life] + ends - before[life]
    return until - work.run, until


def _known(work: Work, since: Whole, until: Whole, dice: np.random.Generator) -> Whole:
    """What died is known to its last beat."""
    silent = _micros(dice.uniform(0, _BEAT_SECONDS, len(until)))
    return np.where(work.status == LOST, np.maximum(until - silent, since), until)


def _calls(work: Work, day: int, dice: np.random.Generator) -> Jobs:
    """Of an API: each for itself."""
    since = _moments(day, len(work.run), dice)
    none = np.zeros(len(since), np.int64)
    return Jobs(work, none - 1, none, since, since + work.run, since + work.run)


def _no_lives() -> Lives:
    none = np.empty(0, np.int64)
    return Lives(none, none, none, none, none, 0)


def _moments(day: int, count: int, dice: np.random.Generator) -> Whole:
    """More at night, in order."""
    weights = np.array(_NIGHT) / sum(_NIGHT)
    hours = dice.choice(len(weights), size=count, p=weights)
    return np.sort(day * DAY + hours * HOUR + dice.integers(0, HOUR, count))


def _rounded_up(length: Whole, machine: Machine) -> Whole:
    """To whole seconds, and to the least that a start is billed at."""
    return np.maximum(-(-length // SECOND), machine.least_seconds) * SECOND


def _micros(seconds: Real) -> Whole:
    return np.rint(seconds * SECOND).astype(np.int64)
