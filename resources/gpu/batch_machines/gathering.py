"""Attempts that wait for each other, so that they leave together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gpu_job.contract import JobRequest
from resources.gpu.backend import Progress
from resources.gpu.job_folder import Submission

from .time_sources import Time


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """An attempt that waits to leave. submission: set once its manifest was accepted."""

    request: JobRequest
    run_seconds: float
    progress: Progress
    submission: "asyncio.Future[Submission]" = field(repr=False)

    def accept(self, submission: Submission) -> None:
        """Tell its task that a machine job has it, unless it was interrupted."""
        if not self.submission.done():
            self.submission.set_result(submission)

    def refuse(self, error: Exception) -> None:
        """Tell its task that it was not accepted, unless it was interrupted."""
        if not self.submission.done():
            self.submission.set_exception(error)


class Gathering:
    """hold_seconds: how long attempts with such predicted seconds are held, from the first of them.

    leave: hands a group over; it accepts or refuses each member.
    """

    def __init__(
        self,
        hold_seconds: Callable[[Sequence[float]], float],
        leave: Callable[[Sequence[Waiting]], Awaitable[None]],
        time_: Time,
    ) -> None:
        self._hold_seconds, self._leave, self._time = hold_seconds, leave, time_
        self._waiting: list[Waiting] = []
        self._since = 0.0
        self._timer: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def work_seconds(self) -> float:
        """The predicted work of all that wait."""
        return sum(one.run_seconds for one in self._present())

    async def submission_of(
        self, request: JobRequest, run_seconds: float, progress: Progress
    ) -> Submission:
        """Wait with others, leave with them, and wait until the group was accepted.

        An attempt that is interrupted before its group leaves is left out.
        """
        one = Waiting(request, run_seconds, progress, asyncio.get_running_loop().create_future())
        if not self._present():
            self._waiting, self._since = [], self._time.clock()
        self._waiting.append(one)
        if self._left_seconds() <= 0:
            self._go()
        elif self._timer is None:
            self._timer = asyncio.create_task(self._go_in_time(), name="gathering")
        return await one.submission

    async def close(self, seconds: float) -> None:
        """Hold nobody back any more; wait up to so long for groups that are leaving."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=seconds)
        for task in self._leaving:
            task.cancel()

    def _present(self) -> list[Waiting]:
        return [one for one in self._waiting if not one.submission.cancelled()]

    def _left_seconds(self) -> float:
        held = self._hold_seconds([one.run_seconds for one in self._present()])
        return self._since + held - self._time.clock()

    async def _go_in_time(self) -> None:
        while self._present() and (left := self._left_seconds()) > 0:
            await self._time.sleep(left)
        self._timer = None
        self._go()

    def _go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group, self._waiting = self._present(), []
        if group:
            task = asyncio.create_task(self._leave_together(group), name="manifests")
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _leave_together(self, group: Sequence[Waiting]) -> None:
        """Whatever goes wrong, nobody waits forever."""
        try:
            await self._leave(group)
        except Exception as error:  # noqa: BLE001  # each member's task raises it
            for one in group:
                one.refuse(error)
        finally:
            for one in group:
                one.submission.cancel()  # does nothing where it was accepted or refused
