"""The jobs of a poller in the order of their next status request."""

import asyncio
import heapq
import itertools
from collections.abc import Mapping
from typing import Any

from .client import Time
from .jobs import Job


class DueJobs:
    """A heap of jobs by due time; of each job, only the newest entry counts."""

    def __init__(self, time_: Time) -> None:
        self._time = time_
        self._heap: list[tuple[float, int, str]] = []
        self._turns = itertools.count(1)
        self._changed = asyncio.Event()

    def schedule(self, job: Job, seconds: float) -> None:
        """Make the job due in so many seconds; replaces its earlier entry."""
        job.turn = next(self._turns)
        heapq.heappush(self._heap, (self._time.clock() + seconds, job.turn, job.id))
        if self._heap[0][1] == job.turn:
            self._changed.set()

    async def next_due(self, jobs: Mapping[str, Job]) -> Job:
        """Wait for the next due job, and remove its entry. jobs: by id; others are dropped."""
        while True:
            self._changed.clear()
            while self._heap and not _is_current(jobs, self._heap[0]):
                heapq.heappop(self._heap)
            wait = self._heap[0][0] - self._time.clock() if self._heap else None
            if wait is not None and wait <= 0:
                return jobs[heapq.heappop(self._heap)[2]]
            await self._sleep_or_change(wait)

    async def _sleep_or_change(self, seconds: float | None) -> None:
        """Wait until the first entry changes, or that many seconds; None: without a limit."""
        waits: set[asyncio.Future[Any]] = {asyncio.ensure_future(self._changed.wait())}
        if seconds is not None:
            waits.add(asyncio.ensure_future(self._time.sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _is_current(jobs: Mapping[str, Job], entry: tuple[float, int, str]) -> bool:
    job = jobs.get(entry[2])
    return job is not None and job.turn == entry[1]
