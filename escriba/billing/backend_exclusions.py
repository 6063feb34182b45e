"""Why a backend cannot take a job: a cause, and a text with the value and the limit."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal

from gpu_job.contract.api_presets import API_MODELS

from .permissions import BudgetLeft, Permission
from .quotes import Capabilities, Health, JobSize, Quote

Block = Literal["", "capability", "permission", "health", "budget"]


def exclusion(  # noqa: PLR0913  # everything an exclusion depends on, by name
    job: JobSize,
    quote: Quote,
    capabilities: Capabilities,
    health: Health,
    *,
    permission: Permission,
    left: Sequence[BudgetLeft],
) -> tuple[Block, str]:
    """The first cause that excludes a backend, and its text; empty if it can take the job.

    Lasting causes come first: capabilities, the tenant's permissions, health, budget.
    """
    cause, why = lasting_exclusion(job, quote.backend, capabilities, permission)
    if cause:
        return cause, why
    if health.state == "down":
        return "health", f"it is down: {health.reason or 'no reason given'}"
    for why in _over_budget(quote, capabilities, left):
        return "budget", why
    return "", ""


def lasting_exclusion(
    job: JobSize, backend: str, capabilities: Capabilities, permission: Permission
) -> tuple[Block, str]:
    """The same, without the temporary causes health and budget."""
    for why in _unable(job, capabilities):
        return "capability", why
    for why in _not_permitted(backend, capabilities, permission):
        return "permission", why
    return "", ""


def _unable(job: JobSize, can: Capabilities) -> Iterator[str]:
    if job.transcribed and not can.transcription:
        yield "it only finds speakers, and does not transcribe"
    if job.diarized and not can.diarization:
        yield "it does not support diarization"
    elif job.diarized and job.diarizer not in can.diarizers:
        has = ", ".join(sorted(can.diarizers))
        yield f"it finds speakers with {has}, not with {job.diarizer}"
    if not job.transcribed:
        if can.is_api:
            yield "it bills transcription, and the job needs only speakers"
        yield from _too_large(job, can)
        return
    if can.models is not None and job.model not in can.models:
        loaded = ", ".join(sorted(can.models))
        yield f"its workers load {loaded}, not the model {job.model}"
    elif job.model in API_MODELS and not can.is_api:
        yield f"the model {job.model} exists only behind its API"
    if can.languages is not None and job.language not in can.languages:
        known = ", ".join(sorted(can.languages))
        given = f"the language is {job.language!r}" if job.language else "the language is unknown"
        yield f"{given}, and it supports {known or 'none'}"
    yield from _too_large(job, can)


def _too_large(job: JobSize, can: Capabilities) -> Iterator[str]:
    seconds = job.audio_ms / 1000
    if can.max_audio_seconds is not None and seconds > can.max_audio_seconds:
        limit = f"{can.max_audio_seconds:,.10g} s"
        yield f"{seconds:,.10g} s of audio exceed its limit of {limit}"
    if can.max_audio_bytes is not None and job.audio_bytes > can.max_audio_bytes:
        yield f"{job.audio_bytes:,} bytes exceed its limit of {can.max_audio_bytes:,}"


def _not_permitted(backend: str, can: Capabilities, permission: Permission) -> Iterator[str]:
    if permission.backends is not None and backend not in permission.backends:
        listed = ", ".join(permission.backends) or "none"
        yield f"the tenant permits only these backends: {listed}"
    if can.third_party and not permission.third_parties:
        yield "it sends audio to a third party, which the tenant forbids"
    if permission.regions is None or can.is_here:
        return
    permitted = {region.casefold() for region in permission.regions}
    listed = ", ".join(permission.regions) or "none"
    if not can.regions:
        yield f"its region is unknown, and the tenant permits only {listed}"
    outside = sorted(region for region in can.regions if region.casefold() not in permitted)
    if outside:
        yield f"it may run in {', '.join(outside)}, and the tenant permits only {listed}"


def _over_budget(quote: Quote, can: Capabilities, left: Sequence[BudgetLeft]) -> Iterator[str]:
    """Limits apply only to paid backends; the text names the tightest limit."""
    mine = [one for one in left if one.applies_to(quote.backend)]
    if not can.paid or not mine:
        return
    tightest = min(mine, key=lambda one: (one.left_usd, one.limit))
    if quote.ceiling_usd > tightest.left_usd:
        about = "about" if quote.most_usd is None else "up to"
        yield (
            f"{about} {quote.ceiling_usd:f} USD would exceed "
            f"{tightest.limit}={tightest.limit_usd:f}: "
            f"{max(tightest.left_usd, Decimal(0)):f} USD left"
        )
