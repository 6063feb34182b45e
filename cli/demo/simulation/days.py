"""One simulated day of the fleet: all attempts, their true cost, and the bills.

Each day has its own random generator, seeded with the plan's seed and the day's number, so that
days can be generated alone, repeatedly, and in any order.
"""

from dataclasses import dataclass

import numpy as np

from .bills import SimulatedBill, bill_of_lives, bill_of_minutes
from .lives import Jobs, Lives, live
from .meters import Flags, Meter, Real, Whole, meter
from .plan import SECOND, SimulatedMachine, SimulationPlan
from .retries import Retries, retries
from .work import DONE

_QUEUE_SECONDS = 4.0  # mean, from queueing a job to submitting it
_HANDOVER_SECONDS = 0.8  # mean, from submission until an idle worker starts the job
TWINS = 0.02  # share of recordings with a duplicate, which needs no job


@dataclass(frozen=True)
class MachineDay:
    """All attempts of one machine on one day, as parallel columns.

    job: a number, from 0 for each day and machine. true_nano: the true cost of an attempt with its
    share of boot and idle, in nano-dollars as floats. unused_nano: the cost of lives without jobs.
    twins: indexes of attempts with a duplicated recording.
    """

    machine: SimulatedMachine
    lives: Lives
    jobs: Jobs
    job: Whole
    attempt: Whole
    queue: Whole
    start: Whole
    usd_nano_an_hour: Whole
    cost_nano: Whole
    true_nano: Real
    unused_nano: float
    twins: Whole
    bill: SimulatedBill


def simulate_day(plan: SimulationPlan, day: int) -> list[MachineDay]:
    """The day of each machine."""
    return [
        _part(plan, machine, day, np.random.default_rng([plan.seed, day, number]))
        for number, machine in enumerate(plan.machines)
    ]


def _part(
    plan: SimulationPlan, machine: SimulatedMachine, day: int, rng: np.random.Generator
) -> MachineDay:
    lives, jobs = live(plan, machine, day, rng)
    rates = meter(plan, machine)
    again = retries(jobs, rng)
    jobs = again.jobs
    queue = np.rint(rng.exponential(_QUEUE_SECONDS, len(jobs.since)) * SECOND).astype(np.int64)
    start = _start(lives, jobs, rng)
    if machine.is_api:
        heard = np.where(jobs.known_until > jobs.since, jobs.work.audio, 0)
        cost_nano = rates.priced_nano(heard, jobs.since)
    else:
        cost_nano = rates.written_nano(jobs.since, jobs.known_until)
    true_nano, unused_nano = _truth(machine, rates, lives, jobs)
    return MachineDay(
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
        unused_nano=unused_nano,
        twins=_twins(again, rng),
        bill=_bill(machine, rates, lives, jobs),
    )


def _start(lives: Lives, jobs: Jobs, rng: np.random.Generator) -> Whole:
    """Time from a job's submission to its start; the first job of a life waits for the boot."""
    handover = np.rint(rng.exponential(_HANDOVER_SECONDS, len(jobs.since)) * SECOND)
    start = handover.astype(np.int64)
    if len(lives.began):
        first = jobs.sequence == 1
        start[first] += (jobs.since - lives.began[jobs.life])[first]
    return start


def _truth(machine: SimulatedMachine, rates: Meter, lives: Lives, jobs: Jobs) -> tuple[Real, float]:
    """The true cost of each attempt with its share of its life, and of lives without jobs."""
    if machine.is_api:
        return bill_of_minutes(rates, jobs), 0.0
    run = rates.true_nano(jobs.since, jobs.until)
    paid = rates.true_nano(lives.began, lives.paid_until)
    of_jobs = np.bincount(jobs.life, run, lives.with_jobs)
    busy = np.bincount(jobs.life, jobs.until - jobs.since, lives.with_jobs)
    overhead = paid[: lives.with_jobs] - of_jobs
    true = run + overhead[jobs.life] * (jobs.until - jobs.since) / busy[jobs.life]
    return true, float(paid[lives.with_jobs :].sum())


def _bill(machine: SimulatedMachine, rates: Meter, lives: Lives, jobs: Jobs) -> SimulatedBill:
    if machine.is_api:
        return SimulatedBill.of(jobs.since // machine.bucket, bill_of_minutes(rates, jobs))
    return bill_of_lives(machine, rates, lives)


def _twins(again: Retries, rng: np.random.Generator) -> Whole:
    is_result: Flags = again.jobs.work.status == DONE
    return np.flatnonzero(is_result & (rng.random(len(is_result)) < TWINS))
