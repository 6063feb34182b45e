"""Worker processes that are children of this one: each does one job at a time, and may stay."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from escriba.errors import BackendUnavailableError
from gpu_job.contract import JobRequest
from gpu_job.contract.process_identity import is_known_dead

from .backend import AttemptReport, Progress
from .job_folder import Submission
from .local_worker import LocalJob, LocalWorker

Start = Callable[[], Awaitable[LocalWorker]]
_LOOK_SECONDS = 1.0  # between two looks for the process of another orchestrator


class ChildWorkers:
    """At most `most` of them at work; a subclass says which one gets a job, and how one starts.

    broken: why a worker could not start; no other start is tried then.
    """

    def __init__(self, most: int) -> None:
        self._room = asyncio.Semaphore(most)
        self._workers: list[LocalWorker] = []
        self._kept: dict[asyncio.Task[None] | None, LocalWorker] = {}  # by the task in `slot`
        self._jobs: dict[str, tuple[LocalWorker, LocalJob]] = {}
        self.broken: BackendUnavailableError | None = None

    async def poll(
        self, submission: Submission | None, wait_seconds: float
    ) -> AttemptReport | None:
        """An attempt of another process has ended when its worker is certainly dead."""
        if submission is None:
            await asyncio.sleep(wait_seconds)
            return None
        held = self._jobs.get(submission.provider_id)
        if held is None:
            await asyncio.sleep(min(wait_seconds, _LOOK_SECONDS))
            dead = submission.place is not None and is_known_dead(submission.place)
            return AttemptReport("dead") if dead else None
        _, job = held
        try:
            await asyncio.wait_for(job.ended.wait(), wait_seconds)
        except TimeoutError:
            return None
        self._jobs.pop(submission.provider_id, None)
        return self._report(job)

    async def cancel(self, submission: Submission) -> None:
        """Kill the worker: there is no other way to stop a job, and its partial result stays."""
        for worker in self._workers:
            if worker.place == submission.place:
                await worker.kill()

    async def close(self) -> None:
        """Stop all workers; those that run a job are killed."""
        workers, self._workers = self._workers, []
        await asyncio.gather(*(worker.end() for worker in workers))

    def _report(self, job: LocalJob) -> AttemptReport:  # noqa: ARG002  # what a subclass adds is of the job
        return AttemptReport("ended")

    @asynccontextmanager
    async def _reserved(self, ready: Start) -> AsyncIterator[None]:
        """Reserve the worker that `ready` gives for the block, once there is room."""
        task = asyncio.current_task()
        async with self._room:
            self._kept[task] = await ready()
            try:
                yield
            finally:
                del self._kept[task]

    def _free(self) -> list[LocalWorker]:
        """Living workers that have no job and are not reserved."""
        self._workers = [worker for worker in self._workers if worker.is_alive]
        kept = self._kept.values()
        return [one for one in self._workers if not one.is_busy and one not in kept]

    async def _give(
        self, worker: LocalWorker, request: JobRequest, progress: Progress
    ) -> Submission:
        job = LocalJob(request.job, request.attempt, progress)
        provider_id = f"{worker.place.pid}/{request.job}/{request.attempt}"
        self._jobs[provider_id] = (worker, job)
        await worker.give(request, job)
        return Submission(provider_id=provider_id, place=worker.place)

    async def _started(self, start: Start) -> LocalWorker:
        """Start a worker; after a failure, no other start is tried in this run."""
        if self.broken is not None:
            raise self.broken
        try:
            return await start()
        except BackendUnavailableError as error:
            self.broken = error
            raise
