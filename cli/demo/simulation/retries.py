"""Retries: a later attempt of the same machine and day completes a job that failed."""

from dataclasses import dataclass, replace

import numpy as np

from .lives import Jobs
from .meters import Whole
from .work import DONE

_TWICE = 0.002  # share of jobs that were given up, completed nevertheless, and were done again
_RETRY_DELAY = 10_000_000  # microseconds until another attempt begins


@dataclass(frozen=True)
class Retries:
    """Jobs as attempts: the number of the job, and of the attempt at it, from 1."""

    jobs: Jobs
    job: Whole
    attempt: Whole


def retries(jobs: Jobs, rng: np.random.Generator) -> Retries:
    """Make each failed attempt the first attempt at the job of a later completed one.

    If no later one is left, there is no retry.
    """
    count = len(jobs.since)
    job, attempt = np.arange(count), np.ones(count, np.int64)
    again = (jobs.work.status != DONE) | (rng.random(count) < _TWICE)
    first = np.flatnonzero(again)[np.argsort(jobs.until[again], kind="stable")]
    later = np.flatnonzero(~again)[np.argsort(jobs.since[~again], kind="stable")]
    places = np.searchsorted(jobs.since[later], jobs.until[first] + _RETRY_DELAY)
    steps = np.arange(len(first))
    places = np.maximum.accumulate(places - steps) + steps  # each later one is taken once
    first, places = first[places < len(later)], places[places < len(later)]
    second = later[places]
    job[first], attempt[second] = second, 2
    return Retries(_with_work_of(jobs, first, second), job, attempt)


def _with_work_of(jobs: Jobs, first: Whole, second: Whole) -> Jobs:
    work = jobs.work
    sender, audio, language = work.sender.copy(), work.audio.copy(), work.language.copy()
    for column in (sender, audio, language):
        column[first] = column[second]
    return replace(jobs, work=replace(work, sender=sender, audio=audio, language=language))
