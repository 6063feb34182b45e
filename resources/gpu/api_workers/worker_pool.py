"""Worker processes that call an API: each does one job at a time, and stays for the next one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from gpu_job.contract import JobRequest
from resources.gpu.backend import AttemptReport, Progress
from resources.gpu.child_workers import ChildWorkers
from resources.gpu.job_folder import Submission
from resources.gpu.local_worker import LocalJob, LocalWorker

Environment = Callable[[], Awaitable[dict[str, str]]]


class ApiWorkerPool(ChildWorkers):
    """At most `most` processes; one starts with the first job that finds none free.

    environment: of a worker, with the API's key; asked for at each start. ended: called with each
    job that has ended, so that a backend learns of a refused key at once.
    """

    def __init__(
        self,
        most: int,
        python: str,
        environment: Environment,
        ended: Callable[[LocalJob], None] = lambda _: None,
    ) -> None:
        super().__init__(most)
        self._python, self._environment, self._ended = python, environment, ended

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Reserve one ready worker for the block.

        Raises:
            BackendUnavailableError: no worker can start; no other start is tried.
        """
        return self._reserved(self._free_worker)

    async def submit(self, request: JobRequest, progress: Progress) -> Submission:
        """Give the request to the worker that `slot` reserved for this task."""
        return await self._give(self._kept[asyncio.current_task()], request, progress)

    def _report(self, job: LocalJob) -> AttemptReport:
        self._ended(job)
        return AttemptReport("ended", job.error, job.code)

    async def _free_worker(self) -> LocalWorker:
        for worker in self._free():
            return worker
        worker = await self._started(self._start)
        self._workers.append(worker)
        return worker

    async def _start(self) -> LocalWorker:
        return await LocalWorker.start(self._python, await self._environment())
