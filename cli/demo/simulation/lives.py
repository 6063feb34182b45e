"""The worker lives of a machine on one day, and the jobs in them.

A life is paid from its start to its end. Its jobs report a little less, since the container's clock
starts after the provider's, and no job reports when the worker really ended.
"""

from dataclasses import dataclass

import numpy as np

from .meters import Real, Whole
from .plan import DAY, HOUR, SECOND, SimulatedMachine, SimulationPlan
from .work import LOST, SimulatedWork, cut_short, draw_work, is_out, job_count

_NIGHT = (9, 9, 9, 9, 8, 7, 5, 4, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 4, 5, 6, 7, 8, 8)  # by hour, UTC
_HEARTBEAT_SECONDS = 15.0
_UNSEEN_START = (0.2, 1.5)  # paid seconds before the container's clock starts
_UNSEEN_END = (0.0, 1.5)  # paid seconds after the idle timeout until the worker ends
_PAUSE_SECONDS = 2.0  # between jobs if the next one is already queued
_LULL_SHARE = 0.15  # share of longer pauses
_BOOT_SPREAD = 0.25
_OUTAGE_EMPTY = 400.0  # factor of useless boots in an outage: crashed workers restart


@dataclass(frozen=True)
class Lives:
    """Worker lives, times in microseconds; lives without a job come last."""

    began: Whole
    seen: Whole  # when the container's clock starts
    ready: Whole
    ended: Whole
    paid_until: Whole  # as billed: rounded up
    with_jobs: int


@dataclass(frozen=True)
class Jobs:
    """Jobs in the order of lives. until: the true end; known_until: the last reported time."""

    work: SimulatedWork
    life: Whole
    sequence: Whole
    since: Whole
    until: Whole
    known_until: Whole


def live(
    plan: SimulationPlan, machine: SimulatedMachine, day: int, rng: np.random.Generator
) -> tuple[Lives, Jobs]:
    """The worker lives and jobs of one machine on one day."""
    count = job_count(plan, machine, day, rng)
    work = draw_work(plan, machine, day, count, rng)
    if machine.is_api:
        return _no_lives(), _calls(work, day, rng)
    life, sequence = _deal(count, machine, rng)
    lives = int(life[-1]) + 1 if count else 0
    is_last = np.append(life[1:] != life[:-1], np.full(min(count, 1), fill_value=True))
    killed = rng.random(lives) < machine.killed
    stops = rng.random(lives) < machine.stops
    work = cut_short(work, is_last & killed[life], stops[life], rng)
    empty = rng.poisson(
        lives * machine.empty * (_OUTAGE_EMPTY if is_out(plan, machine, day) else 1)
    )
    began = _moments(day, lives + int(empty), rng)
    boot = machine.boot_seconds * rng.lognormal(0.0, _BOOT_SPREAD, len(began))
    ready = began + _micros(boot)
    since, until = _line_up(ready[:lives], work, (life, sequence), machine, rng)
    tail = _micros(machine.idle_seconds + rng.uniform(*_UNSEEN_END, len(began)))
    ended = ready + tail
    ended[:lives] = until[is_last] + np.where(killed, 0, tail[:lives])
    return (
        Lives(
            began=began,
            seen=np.minimum(began + _micros(rng.uniform(*_UNSEEN_START, len(began))), ready),
            ready=ready,
            ended=ended,
            paid_until=began + _rounded_up(ended - began, machine),
            with_jobs=lives,
        ),
        Jobs(work, life, sequence, since, until, _known(work, since, until, rng)),
    )


def _deal(count: int, machine: SimulatedMachine, rng: np.random.Generator) -> tuple[Whole, Whole]:
    """The life of each job, from 0, and the job's number in that life, from 1."""
    lengths = rng.geometric(1 / machine.jobs_a_life, count)
    life = np.repeat(np.arange(count), lengths)[:count]
    first = np.searchsorted(life, life)
    return life, np.arange(count) - first + 1


def _line_up(
    ready: Whole,
    work: SimulatedWork,
    place: tuple[Whole, Whole],
    machine: SimulatedMachine,
    rng: np.random.Generator,
) -> tuple[Whole, Whole]:
    """Start and end of each job: one after another, with pauses below the idle timeout."""
    life, sequence = place
    count = len(life)
    pause = rng.exponential(_PAUSE_SECONDS, count)
    lull = rng.uniform(0, machine.idle_seconds, count)
    pause = np.where(rng.random(count) < _LULL_SHARE, lull, pause)
    waits = _micros(np.minimum(pause, machine.idle_seconds * 0.95))
    ends = np.cumsum(waits + work.run)
    before = (ends - waits - work.run)[sequence == 1] if count else ends
    until = ready[life] + ends - before[life]
    return until - work.run, until


def _known(work: SimulatedWork, since: Whole, until: Whole, rng: np.random.Generator) -> Whole:
    """The reported end of each job; for a lost job, its last heartbeat."""
    silent = _micros(rng.uniform(0, _HEARTBEAT_SECONDS, len(until)))
    return np.where(work.status == LOST, np.maximum(until - silent, since), until)


def _calls(work: SimulatedWork, day: int, rng: np.random.Generator) -> Jobs:
    """The calls of an API, each independent."""
    since = _moments(day, len(work.run), rng)
    none = np.zeros(len(since), np.int64)
    return Jobs(work, none - 1, none, since, since + work.run, since + work.run)


def _no_lives() -> Lives:
    none = np.empty(0, np.int64)
    return Lives(none, none, none, none, none, 0)


def _moments(day: int, count: int, rng: np.random.Generator) -> Whole:
    """Sorted start times, more of them at night."""
    weights = np.array(_NIGHT) / sum(_NIGHT)
    hours = rng.choice(len(weights), size=count, p=weights)
    return np.sort(day * DAY + hours * HOUR + rng.integers(0, HOUR, count))


def _rounded_up(length: Whole, machine: SimulatedMachine) -> Whole:
    """Lengths rounded up to whole seconds and to the billed minimum."""
    return np.maximum(-(-length // SECOND), machine.least_seconds) * SECOND


def _micros(seconds: Real) -> Whole:
    return np.rint(seconds * SECOND).astype(np.int64)
