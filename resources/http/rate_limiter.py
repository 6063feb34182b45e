"""Rate limits for requests: evenly spaced, limited concurrency, slower after errors."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]
Jitter = Callable[[], float]  # between 0 and 1


def backoff_seconds(failures: int, jitter: Jitter, most: float = 60.0) -> float:
    """1 s after the first failure, then doubled each time; jittered between half of it and all."""
    return min(2.0 ** min(failures - 1, 16), most) * (0.5 + jitter() / 2)


class RateLimiter:
    """At most `count` requests in 10 s, evenly spaced, and `at_once` concurrent ones."""

    def __init__(self, count: int, at_once: int, clock: Clock, sleep: Sleep) -> None:
        self._gap_seconds = 10 / count
        self._clock, self._sleep = clock, sleep
        self._places = asyncio.Semaphore(at_once)
        self._next = 0.0
        self._resumes = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn of one request, and hold its place for the block."""
        async with self._places:
            await self.wait()
            yield

    async def wait(self) -> None:
        """Wait for a turn, without holding a place."""
        turn = max(self._clock(), self._next)
        self._next = turn + self._gap_seconds
        while (left := max(turn, self._resumes) - self._clock()) > 0:
            await self._sleep(left)

    def pause(self, seconds: float) -> None:
        """Delay all turns by at least that long."""
        self._resumes = max(self._resumes, self._clock() + seconds)

    @property
    def is_paused(self) -> bool:
        """Whether a pause is still active."""
        return self._resumes > self._clock()
