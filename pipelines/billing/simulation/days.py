"""A day of the fleet: every attempt of all machines, what it cost, and what is billed.

Each day has dice of its own, made of the seed and its number: a year may be made in any order,
a day alone, and each day twice.
"""

from dataclasses import dataclass

import numpy as np

from .bills import Bill, bill_of_lives, bill_of_minutes
from .lives import Jobs, Lives, live
from .meters import Flags, Meter, Real, Whole, meter
from .plan import SECOND, Machine, Plan
from .retries import Retries, retries
from .work import DONE

_QUEUE_SECONDS = 4.0  # mean, from the wish for a job to its order
_HANDOVER_SECONDS = 0.8  # mean, from the order to a worker that is free
TWINS = 0.02  # recordings that are another one's copy, and need no job


@dataclass(frozen=True)
class Part:
    """All attempts of one machine in one day; the columns belong together.

    job: a number, from 0 on each day and machine. true_nano: what an attempt really cost, its
    share of boot and idle with it, as a float of nano-dollars. nobody_nano: what no job had.
    twins: places of attempts whose recording has a copy.
    """

    machine: Machine
    lives: Lives
    jobs: Jobs
    job: Whole
    attempt: Whole
    queue: Whole
    start: Whole
    usd_nano_an_hour: Whole
    cost_nano: Whole
    true_nano: Real
    nobody_nano: float
    twins: Whole
    bill: Bill


def simulate_day(plan: Plan, day: int) -> list[Part]:
    """One part for each machine."""
    return [
        _part(plan, machine, day, np.random.default_rng([plan.seed, day, number]))
        for number, machine in enumerate(plan.machines)
    ]


def _part(plan: Plan, machine: Machine, day: int, dice: np.random.Generator) -> Part:
    lives, jobs = live(plan, machine, day, dice)
    rates = meter(plan, machine)
    again = retries(jobs, dice)
    jobs = again.jobs
    queue = np.rint(dice.exponential(_QUEUE_SECONDS, len(jobs.since)) * SECOND).astype(np.int64)
    start = _start(lives, jobs, dice)
    if machine.is_api:
        heard = np.where(jobs.known_until > jobs.since, jobs.work.audio, 0)
        cost_nano = rates.priced_nano(heard, jobs.since)
    else:
        cost_nano = rates.written_nano(jobs.since, jobs.known_until)
    true_nano, nobody_nano = _truth(machine, rates, lives, jobs)
    return Part(
        machine=machine,
        lives=lives,
        jobs=jobs,
        job=again.job,
        attempt=again.attempt,
        queue=queue,
        start=start,
        usd_nano_an_hour=rates.nano_at(jobs.since) * (3_600 // rates.unit_seconds),
        cost_nano=cost_nano,
        true_nano=true_nano,
        nobody_nano=nobody_nano,
        twins=_twins(again, dice),
        bill=_bill(machine, rates, lives, jobs),
    )


def _start(lives: Lives, jobs: Jobs, dice: np.random.Generator) -> Whole:
    """From a job's order to its beginning; the first of a life waits for its boot."""
    handover = np.rint(dice.exponential(_HANDOVER_SECONDS, len(jobs.since)) * SECOND)
    start = handover.astype(np.int64)
    if len(lives.began):
        first = jobs.sequence == 1
        start[first] += (jobs.since - lives.began[jobs.life])[first]
    return start


def _truth(machine: Machine, rates: Meter, lives: Lives, jobs: Jobs) -> tuple[Real, float]:
    """What each attempt cost, with its share of its life; and what no job had."""
    if machine.is_api:
        return bill_of_minutes(rates, jobs), 0.0
    run = rates.true_nano(jobs.since, jobs.until)
    paid = rates.true_nano(lives.began, lives.paid_until)
    of_jobs = np.bincount(jobs.life, run, lives.with_jobs)
    busy = np.bincount(jobs.life, jobs.until - jobs.since, lives.with_jobs)
    beside = paid[: lives.with_jobs] - of_jobs
    true = run + beside[jobs.life] * (jobs.until - jobs.since) / busy[jobs.life]
    return true, float(paid[lives.with_jobs :].sum())


def _bill(machine: Machine, rates: Meter, lives: Lives, jobs: Jobs) -> Bill:
    if machine.is_api:
        return Bill.of(jobs.since // machine.bucket, bill_of_minutes(rates, jobs))
    return bill_of_lives(machine, rates, lives)


def _twins(again: Retries, dice: np.random.Generator) -> Whole:
    is_result: Flags = again.jobs.work.status == DONE
    return np.flatnonzero(is_result & (dice.random(len(is_result)) < TWINS))
