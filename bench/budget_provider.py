"""A simulated autoscaler that bills every second of a worker's life, whatever it did with it."""

import asyncio
import math
import random
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

STEP_SECONDS = 60.0  # how late a worker may see that its time is over
BEAT_SECONDS, SILENT_SECONDS, FENCE_SECONDS = 30.0, 300.0, 120.0
State = Literal["done", "failed", "lost"]


@dataclass(frozen=True, slots=True)
class Nature:
    """How one night's provider and workers are. Shares are of submissions, boots or jobs."""

    workers: int
    idle_seconds: float
    boot_seconds: tuple[float, float]
    slow_boots: float  # that take up to three minutes
    vain_boots: float  # of submissions that start one more worker, though one waits already
    dead_boots: float  # that end before they could take a job
    kills: float
    cut_offs: float  # workers that are taken for dead, and work on for two minutes


@dataclass(slots=True)
class Life:
    """One worker's, as the provider bills it."""

    boot: str
    began: float
    ready: float = 0.0
    ended: float = 0.0
    jobs: int = 0


@dataclass(slots=True)
class Outcome:
    """Of one attempt, as its worker's claim tells it; the times are of the night's clock."""

    state: State
    out_of_time: bool
    life: Life
    sequence: int
    started: float
    ended: float
    done_seconds: float


@dataclass(slots=True)
class Wanted:
    """An attempt that waits for a worker. needs: seconds of a run that nothing ends."""

    needs: float
    limit: float
    answer: asyncio.Future[Outcome]


@dataclass
class Provider:
    """One endpoint: a queue, at most so many workers, each paid from its start to its end."""

    nature: Nature
    dice: random.Random
    lives: list[Life] = field(default_factory=list)
    _queue: deque[Wanted] = field(default_factory=deque)
    _alive: int = 0
    _free: int = 0  # that boot, or wait for a job
    _came: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, needs: float, limit: float) -> Outcome:
        """Submit, and wait until it is known how it ended."""
        wanted = Wanted(needs, limit, asyncio.get_running_loop().create_future())
        self._queue.append(wanted)
        self._came.set()
        if len(self._queue) > self._free or self.dice.random() < self.nature.vain_boots:
            self._start()
        return await wanted.answer

    async def close(self) -> None:
        """Until the last worker has ended by itself."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def billed(self, price: Decimal, at: datetime) -> dict[date, Decimal]:
        """By day (UTC): each life rounded up to the second, and cut at midnight."""
        days: defaultdict[date, Decimal] = defaultdict(Decimal)
        for life in self.lives:
            until = life.began + math.ceil(life.ended - life.began)
            for day, seconds in _days(at, life.began, until):
                days[day] += price * Decimal(repr(seconds))
        return dict(days)

    def _start(self) -> None:
        if self._alive < self.nature.workers:
            self._alive, self._free = self._alive + 1, self._free + 1
            task = asyncio.get_running_loop().create_task(self._live())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _live(self) -> None:
        clock = asyncio.get_running_loop().time
        life = Life(f"{self.dice.getrandbits(64):016x}", clock())
        self.lives.append(life)
        await asyncio.sleep(self._boot_seconds())
        life.ready = clock()
        is_free = True
        if self.dice.random() >= self.nature.dead_boots:
            while (wanted := await self._next()) is not None:
                self._free, is_free = self._free - 1, False
                life.jobs += 1
                if not await self._work(life, wanted):
                    break
                self._free, is_free = self._free + 1, True
        life.ended = clock()
        self._alive, self._free = self._alive - 1, self._free - is_free
        if len(self._queue) > self._free:
            self._start()  # whoever waits needs another one

    def _boot_seconds(self) -> float:
        slow = self.dice.random() < self.nature.slow_boots
        return self.dice.uniform(*((60.0, 180.0) if slow else self.nature.boot_seconds))

    async def _next(self) -> Wanted | None:
        """A job; None where none came for the idle timeout."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.nature.idle_seconds
        while not self._queue:
            self._came.clear()
            try:
                await asyncio.wait_for(self._came.wait(), max(until - loop.time(), 0.0))
            except TimeoutError:
                return None
        return self._queue.popleft()

    async def _work(self, life: Life, wanted: Wanted) -> bool:
        """Whether the worker lives on."""
        clock, sequence = asyncio.get_running_loop().time, life.jobs
        since, stops = clock(), wanted.limit + self.dice.uniform(0, STEP_SECONDS)
        late = wanted.needs > stops
        seconds = min(wanted.needs, stops)
        fate = self.dice.random()
        dies = fate < self.nature.kills
        cut_off = not dies and fate < self.nature.kills + self.nature.cut_offs
        if dies or cut_off:
            seconds *= self.dice.random()
        await asyncio.sleep(seconds)
        if cut_off:  # it does not know yet that it is cut off
            await asyncio.sleep(min(FENCE_SECONDS, wanted.needs - seconds))
        lost = dies or cut_off
        told = BEAT_SECONDS * (seconds // BEAT_SECONDS) if lost else clock() - since
        state: State = "lost" if lost else "failed" if late else "done"
        outcome = Outcome(
            state, late and not lost, life, sequence, since, since + told, 0.0 if lost else seconds
        )
        loop = asyncio.get_running_loop()
        loop.call_later(SILENT_SECONDS if lost else 0.0, _tell, wanted, outcome)
        return not dies


def _tell(wanted: Wanted, outcome: Outcome) -> None:
    if not wanted.answer.done():
        wanted.answer.set_result(outcome)


def _days(at: datetime, since: float, until: float) -> Iterator[tuple[date, float]]:
    while since < until:
        now = at + timedelta(seconds=since)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        end = min(until, since + (midnight - now).total_seconds())
        yield now.date(), end - since
        since = end
