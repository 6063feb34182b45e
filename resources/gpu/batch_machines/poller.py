"""One task that requests the states of all machine jobs of a backend, many with one request."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from escriba.errors import BackendUnavailableError
from escriba.text_for.plain_lines import log_line
from resources.gpu.backend import AttemptReport

from .poll_rules import CLOSEST_SECONDS, TOGETHER_SECONDS, backoff_seconds, next_look_seconds
from .provider import MachineProvider, MachineState, Phase
from .time_sources import Time

UNBELIEVED_SECONDS = 30.0  # lists are eventually consistent: a job may be missing for a while
FORGOTTEN_SECONDS = 300.0  # another process's job that nobody waits for is forgotten
_FAILURES_TO_WARN = 3  # in a row: a single failure is not worth a warning

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Polled:
    """One machine job. missing_since: of the first look in a row that did not find it.

    ours: submitted by this process. queue_limit_seconds: from `since` on; None: unknown.
    """

    id: str
    since: float
    ours: bool
    changed_at: float
    due: float
    queue_limit_seconds: float | None = None
    phase: Phase = "unknown"
    report: AttemptReport | None = None
    missing_since: float | None = None
    waited_for: int = 0
    left_at: float = 0.0
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Poller:
    """Starts with the first job. on_end: called once for each job that ended."""

    def __init__(
        self, provider: MachineProvider, on_end: Callable[[str], None], time_: Time
    ) -> None:
        self._provider, self._on_end, self._time = provider, on_end, time_
        self._jobs: dict[str, Polled] = {}
        self._task: asyncio.Task[None] | None = None
        self._sooner = asyncio.Event()
        self._failures, self._not_before = 0, 0.0

    def phase(self, id_: str) -> Phase:
        """The last known phase of a job."""
        job = self._jobs.get(id_)
        return job.phase if job else "unknown"

    def report(self, id_: str) -> AttemptReport | None:
        """How a job ended, as far as it is known now."""
        job = self._jobs.get(id_)
        return job.report if job else None

    @property
    def open_jobs(self) -> int:
        """Machine jobs of this process that have not ended."""
        return sum(1 for job in self._jobs.values() if job.ours and job.report is None)

    def follow(self, id_: str, queue_limit_seconds: float) -> None:
        """Add a job that was just submitted."""
        if id_ not in self._jobs:
            self._add(id_, ours=True, after_seconds=CLOSEST_SECONDS, limit=queue_limit_seconds)

    async def wait_for_report(self, id_: str, wait_seconds: float) -> AttemptReport | None:
        """How a job ended, as soon as that is known; None after so many seconds without an end."""
        job = self._jobs.get(id_) or self._add(id_, ours=False, after_seconds=0.0)
        job.waited_for += 1
        try:
            if job.report is not None:  # a caller that asks in a loop must not spin
                await self._time.sleep(min(wait_seconds, 1.0))
                return job.report
            await asyncio.wait_for(job.ended.wait(), wait_seconds)
        except TimeoutError:
            return None
        finally:
            job.waited_for -= 1
            job.left_at = self._time.clock()
        return job.report

    def check_soon(self, id_: str) -> None:
        """Request the state soon, since the job is about to change."""
        job = self._jobs.get(id_)
        if job is not None and job.report is None:
            self._schedule(job, CLOSEST_SECONDS)

    def forget(self, id_: str) -> None:
        """Stop following a job."""
        self._jobs.pop(id_, None)

    async def close(self) -> None:
        """Stop all requests."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _add(
        self, id_: str, *, ours: bool, after_seconds: float, limit: float | None = None
    ) -> Polled:
        now = self._time.clock()
        job = Polled(id_, now, ours, now, now, limit, left_at=now)
        self._jobs[id_] = job
        self._schedule(job, after_seconds)
        return job

    def _schedule(self, job: Polled, seconds: float) -> None:
        job.due = self._time.clock() + seconds
        self._sooner.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="machine-job-poller")

    async def _run(self) -> None:
        """Until all jobs have ended; the next one starts it again."""
        while due := await self._due():
            try:
                states = await self._provider.states([job.id for job in due])
            except BackendUnavailableError as error:
                self._on_failure(str(error))
                continue
            except Exception as error:  # noqa: BLE001  # jobs would wait for a poller that is gone
                self._on_failure(type(error).__name__)
                continue
            self._failures = 0
            for job in due:
                self._on_state(job, states.get(job.id))
            await self._stop_those_without_a_machine(due)

    async def _due(self) -> list[Polled]:
        """Wait until a look is due; all jobs whose look is due about then."""
        while waiting := self._open():
            self._sooner.clear()
            now = self._time.clock()
            next_at = max(min(job.due for job in waiting), self._not_before)
            if next_at <= now:
                return [job for job in waiting if job.due <= now + TOGETHER_SECONDS]
            await self._sleep_until_sooner(next_at - now)
        return []

    async def _sleep_until_sooner(self, seconds: float) -> None:
        """Sleep so long, or until another look is due earlier."""
        sleeps = asyncio.ensure_future(self._time.sleep(seconds))
        sooner = asyncio.ensure_future(self._sooner.wait())
        try:
            await asyncio.wait({sleeps, sooner}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeps.cancel()
            sooner.cancel()

    def _open(self) -> list[Polled]:
        """Jobs that have not ended; those of others that nobody waits for are forgotten."""
        now = self._time.clock()
        for job in list(self._jobs.values()):
            left = not job.waited_for and now - job.left_at > FORGOTTEN_SECONDS
            if left and not job.ours:
                self.forget(job.id)
        return [job for job in self._jobs.values() if job.report is None]

    def _on_failure(self, what: str) -> None:
        self._failures += 1
        wait = backoff_seconds(self._failures, self._time.jitter)
        self._not_before = self._time.clock() + wait
        if self._failures == _FAILURES_TO_WARN:
            logger.warning(
                "The states of machine jobs are not known now (%s); retrying.", log_line(what)
            )

    def _on_state(self, job: Polled, state: MachineState | None) -> None:
        now = self._time.clock()
        if state is None:
            self._on_missing(job)
            return
        job.missing_since = None
        if state.phase != job.phase:
            job.phase, job.changed_at = state.phase, now
        if state.report is not None or state.phase == "ended":
            self._end(job, state.report or AttemptReport("ENDED"))
        else:
            job.due = now + next_look_seconds(now - job.changed_at)

    def _on_missing(self, job: Polled) -> None:
        """The provider does not know it, or not yet. The bucket decides."""
        now = self._time.clock()
        if job.missing_since is None:
            job.missing_since = now
        if now - job.missing_since < UNBELIEVED_SECONDS:
            job.due = now + CLOSEST_SECONDS
        else:
            self._end(job, AttemptReport("LOST", "the provider no longer knows the machine job"))

    async def _stop_those_without_a_machine(self, jobs: list[Polled]) -> None:
        """A provider's own limit may act late, or not at all (AWS: only at the head of a queue)."""
        now = self._time.clock()
        late = [
            job
            for job in jobs
            if job.phase == "waits"
            and job.queue_limit_seconds is not None
            and now - job.since > job.queue_limit_seconds
        ]
        if late:
            await self._provider.stop([job.id for job in late])
        for job in late:
            why = f"no machine within {job.queue_limit_seconds:.0f} s"
            self._end(job, AttemptReport("CANCELLED", why, "cancelled"))

    def _end(self, job: Polled, report: AttemptReport) -> None:
        job.report, job.phase = report, "ended"
        job.ended.set()
        self._on_end(job.id)
