"""The local backend: worker processes on this machine that load the model once per batch."""

import asyncio
import sys
from contextlib import AbstractAsyncContextManager
from functools import partial

from escriba.backend_names import LOCAL
from escriba.billing.measured_speeds import planned_speed
from escriba.billing.price_book import Price
from escriba.billing.quotes import Capabilities, Health, JobSize, Quote, Speed, machine_quote
from escriba.errors import BackendUnavailableError, RecordingError
from escriba.settings import Settings, child_environment
from gpu_job.contract import JobRequest
from resources.demo_models import unpack_demo_models
from resources.diarizer_weights import voices_folder
from resources.gpu.backend import Backend, Progress
from resources.gpu.child_workers import ChildWorkers
from resources.gpu.fetch_models import fetched_folder
from resources.gpu.job_folder import Submission
from resources.gpu.local_worker import LocalWorker
from resources.gpu.model_choice import model_of

NO_MODEL = "none"  # as MODEL of a worker: it only finds speakers
# glibc returns the engine's buffers to the system and faults them in again for every window:
# keeping up to 256 MB saves 2.6 million page faults and a fifth of the CPU in half an hour of audio
KEEP_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(128 << 20),
}
NEEDS = "nothing"


def is_set_up(settings: Settings) -> bool:  # noqa: ARG001  # this machine is always here
    """Always: this machine needs no settings."""
    return True


def open_backends(settings: Settings) -> list[Backend]:
    """This machine; starts nothing."""
    return [LocalBackend(settings)]


class LocalBackend(ChildWorkers):
    """At most LOCAL_WORKERS concurrent attempts; a worker starts with the first one."""

    name = LOCAL
    sku = "this-machine"
    capabilities = Capabilities(paid=False, third_party=False, last_resort=True, is_here=True)
    look_seconds = 15.0  # half a heartbeat: a thousand waiting jobs make 70 looks a second

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.local_workers)
        self._settings = settings

    def speed(self, job: JobSize) -> Speed:
        return planned_speed(self.name, job)

    def quote(self, job: JobSize, price: Price, speed: Speed) -> Quote:
        return machine_quote(job, price, speed)

    async def health(self) -> Health:
        """Down for the rest of the run after a worker could not start."""
        if self.broken is not None:
            return Health("down", str(self.broken), lasting=True)
        return Health("well")

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Reserve one ready worker for the block."""
        return self._reserved(partial(self._free_worker, transcribes=True))

    def slot_for(self, job: JobSize) -> AbstractAsyncContextManager[None]:
        """The same; a worker that starts for the speakers alone loads no speech model."""
        return self._reserved(partial(self._free_worker, transcribes=job.transcribed))

    async def submit(self, request: JobRequest, quote: Quote, progress: Progress) -> Submission:  # noqa: ARG002
        """Submit to the worker that `slot` reserved for this task, with the job's model.

        Raises:
            BackendUnavailableError: no worker can start.
            RecordingError: the job's own model is not available; other jobs are not affected.
        """
        speaks = request.options.task != "diarize"
        worker = (
            await self._with_model(request.options.model)
            if speaks
            else self._kept[asyncio.current_task()]
        )
        return await self._give(worker, request, progress)

    def console_url(self, submission: Submission) -> str:  # noqa: ARG002
        return ""

    async def _free_worker(self, *, transcribes: bool) -> LocalWorker:
        free = self._free()
        for worker in free:
            if not transcribes or worker.model != NO_MODEL:
                return worker
        for worker in free[:1]:  # it only finds speakers, in the room of one that transcribes
            self._workers.remove(worker)
            await worker.end()
        worker = await self._start(self._model if transcribes else NO_MODEL)
        self._workers.append(worker)
        return worker

    async def _with_model(self, model: str) -> LocalWorker:
        """One model is in memory at a time: the old worker ends before the new one starts."""
        task = asyncio.current_task()
        worker = self._kept[task]
        if worker.model == model:
            return worker
        self._workers = [one for one in self._workers if one is not worker]
        await worker.end()
        start = self._start if model == self._model else self._start_other
        other = await start(model)
        self._workers.append(other)
        self._kept[task] = other
        return other

    async def _start(self, model: str) -> LocalWorker:
        return await self._started(partial(self._start_with, model))

    async def _start_other(self, model: str) -> LocalWorker:
        """Start a worker for a model that only some recordings request."""
        try:
            return await self._start_with(model)
        except BackendUnavailableError as error:
            advice = (
                "Correct the model in the overrides of the recording or tenant, then run again."
            )
            raise RecordingError("model_missing", str(error), advice, permanent=False) from error

    async def _start_with(self, model: str) -> LocalWorker:
        return await LocalWorker.start(self._python, await self._environment(model))

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
        return KEEP_MEMORY | child_environment("worker") | own
