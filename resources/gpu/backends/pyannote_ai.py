"""The pyannote_ai backend: pyannoteAI's service finds speakers, called by workers from here."""

import sys
from contextlib import AbstractAsyncContextManager

from escriba.backend_names import PYANNOTE_AI
from escriba.billing.measured_speeds import planned_speed
from escriba.billing.price_book import Price
from escriba.billing.quotes import Capabilities, Health, JobSize, Quote, Speed, audio_quote
from escriba.settings import Settings, child_environment
from gpu_job.contract import JobRequest
from resources.gpu.api_workers.pyannote_ai_health import PyannoteAiHealth
from resources.gpu.api_workers.worker_pool import ApiWorkerPool
from resources.gpu.backend import AttemptReport, Backend, Progress
from resources.gpu.job_folder import Submission

NEEDS = "PYANNOTE_AI_API_KEY"


def is_set_up(settings: Settings) -> bool:
    """Whether there is a key."""
    return bool(settings.pyannote_ai_api_key.get_secret_value())


def open_backends(settings: Settings) -> list[Backend]:
    """The service with the model of the settings; starts nothing and makes no request."""
    return [PyannoteAiBackend(settings)] if is_set_up(settings) else []


class PyannoteAiBackend:
    """At most PYANNOTE_AI_JOBS_AT_ONCE recordings; each is one job at the service."""

    name = PYANNOTE_AI
    capabilities = Capabilities(
        paid=True,
        third_party=True,
        transcription=False,
        diarizers=frozenset({PYANNOTE_AI}),
    )
    look_seconds = 15.0

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.sku = settings.pyannote_ai_model
        key = settings.pyannote_ai_api_key.get_secret_value()
        self._health = PyannoteAiHealth(settings.pyannote_ai_url, key)
        self._pool = ApiWorkerPool(
            settings.pyannote_ai_jobs_at_once,
            str(settings.local_worker_python or sys.executable),
            self._environment,
            self._health.ended,
        )

    def speed(self, job: JobSize) -> Speed:
        return planned_speed(self.name, job)

    def quote(self, job: JobSize, price: Price, speed: Speed) -> Quote:
        """By the length of the audio, with the billed minimum of the price book."""
        return audio_quote(job, price, speed)

    async def health(self) -> Health:
        if self._pool.broken is not None:
            return Health("down", str(self._pool.broken), lasting=True)
        return await self._health.health()

    def slot(self) -> AbstractAsyncContextManager[None]:
        return self._pool.slot()

    async def submit(self, request: JobRequest, quote: Quote, progress: Progress) -> Submission:  # noqa: ARG002
        return await self._pool.submit(request, progress)

    async def poll(
        self, submission: Submission | None, wait_seconds: float
    ) -> AttemptReport | None:
        return await self._pool.poll(submission, wait_seconds)

    async def cancel(self, submission: Submission) -> None:
        """Kill the worker; the service has no way to cancel a job, and bills one that succeeds."""
        await self._pool.cancel(submission)

    def console_url(self, submission: Submission) -> str:  # noqa: ARG002  # jobs have no page there
        return ""

    async def close(self) -> None:
        await self._pool.close()

    async def _environment(self) -> dict[str, str]:
        settings = self._settings
        return child_environment("worker") | {
            "ENGINE": self.name,
            "PYANNOTE_AI_API_KEY": settings.pyannote_ai_api_key.get_secret_value(),
            "PYANNOTE_AI_URL": settings.pyannote_ai_url,
            "PYANNOTE_AI_MODEL": settings.pyannote_ai_model,
            "PYANNOTE_AI_UPLOAD": str(settings.pyannote_ai_upload).lower(),
            "PYANNOTE_AI_POLL_SECONDS": str(settings.pyannote_ai_poll_seconds),
        }
