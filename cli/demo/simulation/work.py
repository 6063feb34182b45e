"""The jobs of a machine on one day: senders, lengths, and outcomes."""

from dataclasses import dataclass

import numpy as np

from escriba.backend_names import RUNPOD

from .meters import Flags, Real, Whole
from .plan import SECOND, SimulatedMachine, SimulationPlan

DONE, FAILED, STOPPED, LOST = 0, 1, 2, 3
STATUSES = ("done", "failed", "stopped", "lost")
_WEEK = (1.15, 1.2, 1.15, 1.1, 1.0, 0.5, 0.4)  # Monday to Sunday
_ARCHIVE = 7.0  # factor of the usual number of jobs on the day of the anomaly
_ARCHIVIST = 2  # index of the sender with the archive
_AUDIO_SPREAD, _RTF_SPREAD = 0.55, 0.12  # standard deviations of the logarithms
_LEAST_AUDIO, _MOST_AUDIO = 60.0, 5 * 3_600.0
_API_MOST_AUDIO = 3_600.0  # limit of an API
_LEAST_RUN = 2.0
_OUTAGE_LEFT = 0.15  # fraction of RunPod's share left on the day of the outage
_OUTAGE_FAILED = 0.25


@dataclass(frozen=True)
class SimulatedWork:
    """Jobs of one machine, lengths in microseconds. run: until the job ends, in any way."""

    sender: Whole
    audio: Whole
    run: Whole
    status: Whole
    language: Whole


def is_out(plan: SimulationPlan, machine: SimulatedMachine, day: int) -> bool:
    """Whether the machine has its outage on this day."""
    return day == plan.outage and machine.backend == RUNPOD


def job_count(
    plan: SimulationPlan, machine: SimulatedMachine, day: int, rng: np.random.Generator
) -> int:
    """The number of jobs on a day; in an outage, other machines get RunPod's jobs."""
    weekday = (plan.first_day.weekday() + day) % len(_WEEK)
    mean = plan.recordings_a_day * _WEEK[weekday] * _share(plan, machine, day)
    return int(rng.poisson(mean * (_ARCHIVE if day == plan.anomaly else 1.0)))


def _share(plan: SimulationPlan, machine: SimulatedMachine, day: int) -> float:
    if day != plan.outage:
        return machine.share
    if machine.backend == RUNPOD:
        return machine.share * _OUTAGE_LEFT
    lost = sum(m.share for m in plan.machines if m.backend == RUNPOD) * (1 - _OUTAGE_LEFT)
    others = sum(m.share for m in plan.machines if m.backend != RUNPOD)
    return machine.share * (1 + lost / others)


def draw_work(
    plan: SimulationPlan, machine: SimulatedMachine, day: int, count: int, rng: np.random.Generator
) -> SimulatedWork:
    """Draw `count` jobs, some of which fail."""
    shares = np.array([sender.share for sender in plan.senders])
    if day == plan.anomaly:
        shares[_ARCHIVIST] *= _ARCHIVE
    sender = rng.choice(len(shares), size=count, p=shares / shares.sum())
    medians = np.array([s.median_minutes * 60 for s in plan.senders])
    most = _API_MOST_AUDIO if machine.is_api else _MOST_AUDIO
    seconds = np.clip(medians[sender] * _spread(rng, count, _AUDIO_SPREAD), _LEAST_AUDIO, most)
    run = np.maximum(seconds * machine.rtf * _spread(rng, count, _RTF_SPREAD), _LEAST_RUN)
    fails = rng.random(count) < (_OUTAGE_FAILED if is_out(plan, machine, day) else machine.failed)
    cut = np.where(fails, rng.uniform(0.02, 0.6, count), 1.0)
    if machine.is_api:
        cut = np.where(fails, 0.0, 1.0)  # refused immediately and not billed
    return SimulatedWork(
        sender=sender.astype(np.int64),
        audio=np.rint(seconds * 1_000).astype(np.int64) * (SECOND // 1_000),
        run=np.rint(run * cut * SECOND).astype(np.int64),
        status=np.where(fails, FAILED, DONE).astype(np.int64),
        language=rng.integers(0, 12, count),
    )


def _spread(rng: np.random.Generator, count: int, sigma: float) -> Real:
    return rng.lognormal(0.0, sigma, count)


def cut_short(
    work: SimulatedWork, hit: Flags, stops: Flags, rng: np.random.Generator
) -> SimulatedWork:
    """The work with the machine lost or stopped during the jobs in `hit`."""
    run = np.where(hit, np.rint(work.run * rng.uniform(0.05, 0.95, len(hit))), work.run)
    status = np.where(hit, np.where(stops, STOPPED, LOST), work.status)
    return SimulatedWork(work.sender, work.audio, run.astype(np.int64), status, work.language)
