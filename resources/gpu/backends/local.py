"""The local backend: worker processes on this machine, with the model loaded once for a batch."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from gpu_job.contract import JobRequest
from gpu_job.place import is_known_dead
from pipelines.billing.prices import Price
from pipelines.billing.quotes import Capabilities, Health, JobSize, Quote, Speed, machine_quote
from pipelines.billing.speeds import planned_speed
from pipelines.settings import Settings, inherited_environment
from resources.failures import BackendUnavailableError, RecordingError
from resources.gpu.base import Backend, Progress, Report
from resources.gpu.fetching import fetched_folder
from resources.gpu.job_folder import Submission
from resources.gpu.local_worker import LocalJob, LocalWorker
from resources.gpu.model_choice import model_of
from resources.models import unpack_demo_models
from resources.voices import voices_folder

# glibc hands the engine's buffers back to the system and faults them in anew for every window:
# keeping up to 256 MB saves 2.6 million page faults and a fifth of the CPU in half an hour of audio
KEEP_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(128 << 20),
}
NEEDS = "nothing"


def is_set_up(settings: Settings) -> bool:  # noqa: ARG001  # this machine is always here
    """This machine is always there."""
    return True


def open_backends(settings: Settings) -> list[Backend]:
    """This machine; starts nothing."""
    return [LocalBackend(settings)]


class LocalBackend:
    """At most LOCAL_WORKERS attempts at a time; a worker starts with the first of them."""

    name = "local"
    sku = "this-machine"
    capabilities = Capabilities(paid=False, third_party=False, last_resort=True, is_here=True)
    look_seconds = 15.0  # half of a beat: a thousand jobs that wait are 70 looks a second

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._room = asyncio.Semaphore(settings.local_workers)
        self._workers: list[LocalWorker] = []
        self._kept: dict[asyncio.Task[None] | None, LocalWorker] = {}  # by who is in `room`
        self._broken: BackendUnavailableError | None = None
        self._jobs: dict[str, tuple[LocalWorker, LocalJob]] = {}

    def speed(self, job: JobSize) -> Speed:
        return planned_speed(self.name, job)

    def quote(self, job: JobSize, price: Price, speed: Speed) -> Quote:
        return machine_quote(job, price, speed)

    async def health(self) -> Health:
        """Down for this run once a worker could not start."""
        if self._broken is not None:
            return Health("down", str(self._broken), lasting=True)
        return Health("well")

    @asynccontextmanager
    async def room(self) -> AsyncIterator[None]:
        """One worker, ready, is kept for the block."""
        task = asyncio.current_task()
        async with self._room:
            self._kept[task] = await self._free_worker()
            try:
                yield
            finally:
                del self._kept[task]

    async def submit(self, request: JobRequest, quote: Quote, progress: Progress) -> Submission:  # noqa: ARG002
        """To the worker that `room` keeps for this task, with the model that the job wants.

        Raises:
            BackendUnavailableError: no worker can start.
            RecordingError: the job's own model is not to be had; no other job is touched.
        """
        worker = await self._with_model(request.options.model)
        job = LocalJob(request.job, request.attempt, progress)
        provider_id = f"{worker.place.pid}/{request.job}/{request.attempt}"
        self._jobs[provider_id] = (worker, job)
        await worker.give(request, job)
        return Submission(provider_id=provider_id, place=worker.place)

    async def poll(self, submission: Submission | None, wait_seconds: float) -> Report | None:
        """Another process's attempt is over when its worker is certainly dead."""
        if submission is None:
            await asyncio.sleep(wait_seconds)
            return None
        held = self._jobs.get(submission.provider_id)
        if held is None:
            await asyncio.sleep(min(wait_seconds, 1.0))
            dead = submission.place is not None and is_known_dead(submission.place)
            return Report("dead") if dead else None
        _, job = held
        try:
            await asyncio.wait_for(job.ended.wait(), wait_seconds)
        except TimeoutError:
            return None
        self._jobs.pop(submission.provider_id, None)
        return Report("ended")

    async def cancel(self, submission: Submission) -> None:
        """A worker in the middle of a job can only be killed."""
        for worker in self._workers:
            if worker.place == submission.place:
                await worker.kill()

    def console_url(self, submission: Submission) -> str:  # noqa: ARG002
        return ""

    async def close(self) -> None:
        """All workers end; those in a job are killed."""
        workers, self._workers = self._workers, []
        await asyncio.gather(*(worker.end() for worker in workers))

    async def _free_worker(self) -> LocalWorker:
        self._workers = [worker for worker in self._workers if worker.is_alive]
        for worker in self._workers:
            if not worker.is_busy and worker not in self._kept.values():
                return worker
        worker = await self._start()
        self._workers.append(worker)
        return worker

    async def _with_model(self, model: str) -> LocalWorker:
        """One model is in memory at a time: a worker of another one ends before the new begins."""
        task = asyncio.current_task()
        worker = self._kept[task]
        if worker.model == model:
            return worker
        self._workers = [one for one in self._workers if one is not worker]
        await worker.end()
        start = self._start if model == self._model else partial(self._start_other, model)
        other = await start()
        self._workers.append(other)
        self._kept[task] = other
        return other

    async def _start(self) -> LocalWorker:
        """A worker; one that could not start is not tried again for each job of the run."""
        if self._broken is not None:
            raise self._broken
        try:
            return await LocalWorker.start(self._python, await self._environment(self._model))
        except BackendUnavailableError as error:
            self._broken = error
            raise

    async def _start_other(self, model: str) -> LocalWorker:
        """A worker for a model that some recordings alone wish for."""
        try:
            return await LocalWorker.start(self._python, await self._environment(model))
        except BackendUnavailableError as error:
            advice = "Correct the model that the recording or its tenant wishes for, and run again."
            raise RecordingError("model_missing", str(error), advice, permanent=False) from error

    @property
    def _model(self) -> str:
        return model_of(self._settings)

    @property
    def _python(self) -> str:
        return str(self._settings.local_worker_python or sys.executable)

    async def _environment(self, model: str) -> dict[str, str]:
        folder = await asyncio.to_thread(unpack_demo_models, self._settings.models_folder)
        own = {
            "MODELS_FOLDER": str(folder),
            "MODEL": model,
            "FETCHED_MODELS": str(fetched_folder(self._settings)),
            "VOICES_FOLDER": str(voices_folder(self._settings.models_folder)),
            "DEVICE": self._settings.device,
            "DIARIZER": self._settings.diarizer,
            "DIARIZATION_MODEL": self._settings.diarization_model,
            "HUGGINGFACE_TOKEN": self._settings.huggingface_token.get_secret_value(),
            "CPU_THREADS": str(self._settings.local_cpu_threads),
        }
        return KEEP_MEMORY | inherited_environment() | own
