"""Checks the backend that finds the speakers, if they have one of their own."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from escriba.backend_names import PYANNOTE_AI
from escriba.billing.backend_exclusions import lasting_exclusion
from escriba.billing.permissions import Permission
from escriba.billing.price_book import PriceBookError
from escriba.billing.quotes import size_of
from escriba.settings import Settings, SettingsError
from intake.job_options import turns_alone
from intake.recording_options import tenant_options
from resources.gpu.registry import open_backends
from resources.price_book import open_price_book

from .finding import Finding

_READS_A_MINUTE = 300  # of a pyannoteAI account, published in 2026
_NO_TENANT = ""  # without overrides of its own


def speakers(settings: Settings) -> Iterator[Finding]:
    """Check SPEAKERS_BACKEND, and pyannoteAI's key, price and limits if it is set up."""
    has_key = bool(settings.pyannote_ai_api_key.get_secret_value())
    if settings.speakers_backend:
        yield _backend(settings)
    if not has_key:
        return
    yield _account(settings)
    yield from _service_settings(settings)


def _backend(settings: Settings) -> Finding:
    name = settings.speakers_backend
    try:
        backends = open_backends(settings)
    except SettingsError as error:
        return Finding(what="speakers", state="broken", found=str(error))
    options = turns_alone(tenant_options(_NO_TENANT, settings).job)
    job = size_of(options, audio_ms=0, speech_ms=0, audio_bytes=0, channels=1)
    reasons = [
        why
        for one in backends
        if one.name == name
        for _, why in [lasting_exclusion(job, one.name, one.capabilities, Permission())]
    ]
    if "" in reasons:
        found = f"a job of their own, on {name} if it is healthy"
        return Finding(what="speakers", state="well", found=found)
    return Finding(
        what="speakers",
        state="broken",
        found=f"SPEAKERS_BACKEND={name} cannot find them: {'; '.join(reasons)}",
        advice="Name another backend in SPEAKERS_BACKEND, or leave it empty.",
    )


def _account(settings: Settings) -> Finding:
    """Whether the service accepts the key; asks it once."""
    from resources.gpu.api_workers.pyannote_ai_health import PyannoteAiHealth

    key = settings.pyannote_ai_api_key.get_secret_value()
    health = asyncio.run(PyannoteAiHealth(settings.pyannote_ai_url, key).health())
    host = urlsplit(settings.pyannote_ai_url).hostname
    if health.state == "well":
        return Finding(what="pyannoteAI", state="well", found=f"{host} accepts the key")
    advice = "Create a key at dashboard.pyannote.ai, and check the network."
    return Finding(what="pyannoteAI", state="broken", found=health.reason, advice=advice)


def _service_settings(settings: Settings) -> Iterator[Finding]:
    if settings.speakers_backend != PYANNOTE_AI:
        yield Finding(
            what="pyannoteAI",
            state="odd",
            found="a key is set, but it gets no jobs",
            advice=f"Set SPEAKERS_BACKEND={PYANNOTE_AI}, or remove PYANNOTE_AI_API_KEY.",
        )
    try:
        now = datetime.now(UTC)
        open_price_book(settings).at(PYANNOTE_AI, settings.pyannote_ai_model, now)
    except PriceBookError as error:
        advice = "Correct PYANNOTE_AI_MODEL, or add the line to the price book (PRICE_BOOK)."
        yield Finding(what="pyannoteAI", state="broken", found=str(error), advice=advice)
    reads = settings.pyannote_ai_jobs_at_once * 60 / settings.pyannote_ai_poll_seconds
    if reads > _READS_A_MINUTE:
        yield Finding(
            what="pyannoteAI",
            state="odd",
            found=f"up to {reads:,.0f} reads a minute exceed its limit of {_READS_A_MINUTE}",
            advice="Raise PYANNOTE_AI_POLL_SECONDS, or lower PYANNOTE_AI_JOBS_AT_ONCE.",
        )
