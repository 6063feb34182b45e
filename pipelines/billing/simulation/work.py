"""What a machine is given on one day: whose recordings, how long, and how they end."""

from dataclasses import dataclass

import numpy as np

from .meters import Flags, Real, Whole
from .plan import SECOND, Machine, Plan

DONE, FAILED, STOPPED, LOST = 0, 1, 2, 3
STATUSES = ("done", "failed", "stopped", "lost")
_WEEK = (1.15, 1.2, 1.15, 1.1, 1.0, 0.5, 0.4)  # Monday to Sunday
_ARCHIVE = 7.0  # so many times the usual on the day of the anomaly
_ARCHIVIST = 2  # whose archive it is
_AUDIO_SPREAD, _RTF_SPREAD = 0.55, 0.12  # of the logarithms
_LEAST_AUDIO, _MOST_AUDIO = 60.0, 5 * 3_600.0
_API_MOST_AUDIO = 3_600.0  # an API takes no more
_LEAST_RUN = 2.0
_OUTAGE_LEFT = 0.15  # of RunPod's share, on the day of the outage
_OUTAGE_FAILED = 0.25


@dataclass(frozen=True)
class Work:
    """Jobs of one machine; lengths in microseconds. run: until it is done, or ended otherwise."""

    sender: Whole
    audio: Whole
    run: Whole
    status: Whole
    language: Whole


def is_out(plan: Plan, machine: Machine, day: int) -> bool:
    """Whether it is the machine's bad day."""
    return day == plan.outage and machine.backend == "runpod"


def how_many(plan: Plan, machine: Machine, day: int, dice: np.random.Generator) -> int:
    """Jobs that day; on the day of an outage the others get RunPod's."""
    weekday = (plan.first_day.weekday() + day) % len(_WEEK)
    mean = plan.recordings_a_day * _WEEK[weekday] * _share(plan, machine, day)
    return int(dice.poisson(mean * (_ARCHIVE if day == plan.anomaly else 1.0)))


def _share(plan: Plan, machine: Machine, day: int) -> float:
    if day != plan.outage:
        return machine.share
    if machine.backend == "runpod":
        return machine.share * _OUTAGE_LEFT
    lost = sum(m.share for m in plan.machines if m.backend == "runpod") * (1 - _OUTAGE_LEFT)
    others = sum(m.share for m in plan.machines if m.backend != "runpod")
    return machine.share * (1 + lost / others)


def draw_work(
    plan: Plan, machine: Machine, day: int, count: int, dice: np.random.Generator
) -> Work:
    """So many jobs; some fail."""
    shares = np.array([sender.share for sender in plan.senders])
    if day == plan.anomaly:
        shares[_ARCHIVIST] *= _ARCHIVE
    sender = dice.choice(len(shares), size=count, p=shares / shares.sum())
    medians = np.array([s.median_minutes * 60 for s in plan.senders])
    most = _API_MOST_AUDIO if machine.is_api else _MOST_AUDIO
    seconds = np.clip(medians[sender] * _spread(dice, count, _AUDIO_SPREAD), _LEAST_AUDIO, most)
    run = np.maximum(seconds * machine.rtf * _spread(dice, count, _RTF_SPREAD), _LEAST_RUN)
    fails = dice.random(count) < (_OUTAGE_FAILED if is_out(plan, machine, day) else machine.failed)
    cut = np.where(fails, dice.uniform(0.02, 0.6, count), 1.0)
    if machine.is_api:
        cut = np.where(fails, 0.0, 1.0)  # refused at once, and not billed
    return Work(
        sender=sender.astype(np.int64),
        audio=np.rint(seconds * 1_000).astype(np.int64) * (SECOND // 1_000),
        run=np.rint(run * cut * SECOND).astype(np.int64),
        status=np.where(fails, FAILED, DONE).astype(np.int64),
        language=dice.integers(0, 12, count),
    )


def _spread(dice: np.random.Generator, count: int, sigma: float) -> Real:
    return dice.lognormal(0.0, sigma, count)


def cut_short(work: Work, hit: Flags, stops: Flags, dice: np.random.Generator) -> Work:
    """The same where the machine is taken away in the middle of the jobs that are hit."""
    run = np.where(hit, np.rint(work.run * dice.uniform(0.05, 0.95, len(hit))), work.run)
    status = np.where(hit, np.where(stops, STOPPED, LOST), work.status)
    return Work(work.sender, work.audio, run.astype(np.int64), status, work.language)
