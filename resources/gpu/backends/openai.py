"""The openai backend: any API with OpenAI's `/audio/transcriptions`, called from this machine."""

import dataclasses
import math
from contextlib import AbstractAsyncContextManager
from ipaddress import ip_address

from escriba.backend_names import OPENAI
from escriba.billing.measured_speeds import planned_speed
from escriba.billing.price_book import Price
from escriba.billing.quotes import Capabilities, Health, JobSize, Quote, Speed, audio_quote
from escriba.languages import LANGUAGE_CODES
from escriba.model_names import short_names_of
from escriba.settings import Settings
from escriba.settings.field_types import comma_separated
from gpu_job.contract import JobRequest
from gpu_job.contract.api_presets import ApiPreset, preset_of
from resources.gpu.api_workers.api_health import ApiHealth, end_of_life, today
from resources.gpu.api_workers.worker_environment import worker_environment, worker_python
from resources.gpu.api_workers.worker_pool import ApiWorkerPool
from resources.gpu.backend import AttemptReport, Backend, Progress
from resources.gpu.fetch_models import downloaded_model
from resources.gpu.job_folder import Submission

NEEDS = "OPENAI_MODEL and OPENAI_API_KEY"


def is_set_up(settings: Settings) -> bool:
    """Whether a model is set, with a key or a server of one's own."""
    if not settings.openai_model:
        return False
    return bool(settings.openai_api_key.get_secret_value()) or preset_in(settings).is_own


def open_backends(settings: Settings) -> list[Backend]:
    """The API of the settings; starts nothing and makes no request."""
    return [OpenaiBackend(settings)] if is_set_up(settings) else []


def preset_in(settings: Settings) -> ApiPreset:
    """What the API of the settings can do."""
    return preset_of(
        settings.openai_base_url,
        settings.openai_model,
        own=settings.openai_is_own_server,
        times=settings.openai_times,
        max_bytes=settings.openai_max_bytes,
        max_seconds=settings.openai_max_seconds,
    )


def capabilities_of(preset: ApiPreset, settings: Settings) -> Capabilities:
    """What the router may send there. Audio has no limit: it is cut into pieces.

    A model that does not name the language that it heard takes only jobs that name one.
    """
    languages = preset.languages
    if languages is None and not preset.detects_language:
        languages = frozenset(LANGUAGE_CODES)
    return Capabilities(
        paid=not preset.is_own,
        third_party=not preset.is_own,
        languages=languages,
        models=preset.takes | short_names_of(preset.model),
        regions=frozenset(comma_separated(settings.openai_regions)),
        is_here=preset.is_own and _is_loopback(preset.host),
        is_api=True,
    )


class OpenaiBackend:
    """At most OPENAI_JOBS_AT_ONCE recordings; each is bought piece by piece, in order."""

    name = OPENAI
    look_seconds = 15.0

    def __init__(self, settings: Settings) -> None:
        self._settings, self._preset = settings, preset_in(settings)
        self.sku = self._preset.sku
        self.capabilities = capabilities_of(self._preset, settings)
        key = settings.openai_api_key.get_secret_value()
        self._health = ApiHealth(settings.openai_base_url, key, self._preset)
        self._pool = ApiWorkerPool(
            settings.openai_jobs_at_once,
            worker_python(settings),
            self._environment,
            self._health.ended,
        )

    def speed(self, job: JobSize) -> Speed:
        return planned_speed(self.name, job)

    def quote(self, job: JobSize, price: Price, speed: Speed) -> Quote:
        """By the audio's length, each piece with the billed minimum; says when the model ends."""
        billed = dataclasses.replace(job, audio_ms=billed_ms(job.audio_ms, self._preset))
        quote = dataclasses.replace(
            audio_quote(billed, price, speed),
            run_seconds=job.audio_ms / 1000 * speed.rtf,
            latency_seconds=job.audio_ms / 1000 * speed.rtf + speed.start_seconds,
        )
        ends = end_of_life(self._preset, today())
        return dataclasses.replace(quote, basis=f"{quote.basis}; {ends}") if ends else quote

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
        await self._pool.cancel(submission)

    def console_url(self, submission: Submission) -> str:  # noqa: ARG002  # no API has a page of a job
        return ""

    async def close(self) -> None:
        await self._pool.close()

    async def _environment(self) -> dict[str, str]:
        settings = self._settings
        align = settings.openai_align_model
        if align == "auto":
            align = downloaded_model(settings)
        own = {
            "ENGINE": "openai",
            "OPENAI_BASE_URL": settings.openai_base_url,
            "OPENAI_API_KEY": settings.openai_api_key.get_secret_value(),
            "OPENAI_MODEL": settings.openai_model,
            "OPENAI_IS_OWN_SERVER": settings.openai_is_own_server,
            "OPENAI_TIMES": settings.openai_times,
            "OPENAI_MAX_BYTES": str(settings.openai_max_bytes),
            "OPENAI_MAX_SECONDS": str(settings.openai_max_seconds),
            "OPENAI_ALIGN_MODEL": "" if align == "none" else align,
        }
        return await worker_environment(settings, own)


def billed_ms(audio_ms: int, preset: ApiPreset) -> int:
    """The audio that is billed at most: whole pieces, and the last one with the minimum."""
    piece_ms = int(preset.piece_seconds * 1000)
    whole = max(0, math.ceil(audio_ms / piece_ms) - 1) * piece_ms
    return whole + max(audio_ms - whole, int(preset.minimum_seconds * 1000))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
