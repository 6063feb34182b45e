"""When attempts may begin: while machines are busy, they wait until they fill another one.

A night has more recordings than a process has in progress, so that later ones come one by one, each
time another is done. Without this, each of them would start a machine of its own: in a simulated
night (`python -m bench.fleet`) a third of the paid time was starts. An attempt that waits here has
not begun, so that it may wait longer than the 45 s of a gathering.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from .gather_rules import GatherRules
from .time_sources import Time

_NEWEST = 0.1  # weight of the newest prediction in the mean


@dataclass(frozen=True, slots=True)
class Crowd:
    """waiting: attempts. waited_seconds: of the first. begun: attempts that were not submitted yet.

    busy: machines. mean_seconds: the predicted run of an attempt, as of late; 0 if unknown.
    """

    waiting: int
    waited_seconds: float
    begun: int
    busy: int
    mean_seconds: float


def fill_of(rules: GatherRules, mean_seconds: float) -> int:
    """How many attempts fill a machine: between a start of 5 % and the limit of a lease.

    In the middle between them, since the work of so many attempts varies.
    """
    if not mean_seconds:
        return rules.most_jobs
    middle = (rules.full_seconds + max(rules.most_work_seconds, rules.full_seconds)) / 2
    return max(1, min(math.ceil(middle / mean_seconds), rules.most_jobs))


def admitted(rules: GatherRules, crowd: Crowd) -> int:
    """How many may begin now: never more than the free machines can do.

    All, while no machine is busy: a lone job or the first ones of a night wait for nobody here.
    Else so many as fill machines; fewer once the first has waited as long as a start takes.
    """
    fill = fill_of(rules, crowd.mean_seconds)
    room = (rules.most_machines - crowd.busy) * fill - crowd.begun
    waits_too_long = crowd.waited_seconds >= rules.start_seconds
    if crowd.busy == 0 or waits_too_long:
        return max(0, min(crowd.waiting, room))
    return max(0, min(crowd.waiting, room) // fill * fill)


class Admission:
    """busy: counts the machine jobs that have not ended."""

    def __init__(self, rules: GatherRules, busy: Callable[[], int], time_: Time) -> None:
        self._rules, self._busy, self._time = rules, busy, time_
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._mean_seconds, self._begun = 0.0, 0
        self._timer: asyncio.Task[None] | None = None

    def predicted(self, run_seconds: float) -> None:
        """Note the predicted run of an attempt."""
        mean = self._mean_seconds or run_seconds
        self._mean_seconds = (1 - _NEWEST) * mean + _NEWEST * run_seconds

    @property
    def work_seconds(self) -> float:
        """The predicted work of all that wait, or that began and were not submitted yet."""
        return (len(self._waiting) + self._begun) * self._mean_seconds

    async def turn(self) -> None:
        """Wait until one more attempt may begin; `handed_over` must follow."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._time.clock(), turn))
        self.look()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its turn came in the same moment
                self.handed_over()
            raise

    def handed_over(self) -> None:
        """An attempt that began was submitted, or ended before that."""
        self._begun -= 1
        self.look()

    def look(self) -> None:
        """Let those begin who may; called whenever something has changed."""
        self._waiting = deque(one for one in self._waiting if not one[1].done())
        for _ in range(admitted(self._rules, self._crowd())):
            self._begun += 1
            self._waiting.popleft()[1].set_result(None)
        if self._waiting and self._timer is None:
            self._timer = asyncio.create_task(self._look_in_time(), name="admission")

    def close(self) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _crowd(self) -> Crowd:
        now = self._time.clock()
        return Crowd(
            waiting=len(self._waiting),
            waited_seconds=now - self._waiting[0][0] if self._waiting else 0.0,
            begun=self._begun,
            busy=self._busy(),
            mean_seconds=self._mean_seconds,
        )

    async def _look_in_time(self) -> None:
        """Look again when the first has waited long enough."""
        left = self._waiting[0][0] + self._rules.start_seconds - self._time.clock()
        await self._time.sleep(max(left, self._rules.start_seconds / 10))
        self._timer = None
        self.look()
