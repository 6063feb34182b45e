"""Why a backend may not have a job: a cause, and a text with the value and the limit."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal

from .policy import Left, Permission
from .quotes import Capabilities, Health, JobSize, Quote

Block = Literal["", "capability", "permission", "health", "budget"]


def exclusion(  # noqa: PLR0913  # what an exclusion hangs on, by name
    job: JobSize,
    quote: Quote,
    capabilities: Capabilities,
    health: Health,
    *,
    permission: Permission,
    left: Sequence[Left],
) -> tuple[Block, str]:
    """The first cause that excludes a backend, and its text; empty where it may have the job.

    What lasts comes first: what it cannot do, what the tenant does not permit, whether it is
    down, what is left to spend.
    """
    for why in _unable(job, capabilities):
        return "capability", why
    for why in _not_permitted(quote.backend, capabilities, permission):
        return "permission", why
    if health.state == "down":
        return "health", f"it is down: {health.reason or 'for a reason it does not name'}"
    for why in _too_dear(quote, capabilities, left):
        return "budget", why
    return "", ""


def _unable(job: JobSize, can: Capabilities) -> Iterator[str]:
    if job.diarized and not can.diarization:
        yield "speakers are wanted, and it does not tell them apart"
    if can.models is not None and job.model not in can.models:
        loaded = ", ".join(sorted(can.models))
        yield f"the model is {job.model}, and its workers have loaded {loaded}"
    if can.languages is not None and job.language not in can.languages:
        known = ", ".join(sorted(can.languages))
        wish = f"the language is {job.language!r}" if job.language else "the language is unknown"
        yield f"{wish}, and it can do {known or 'none'}"
    seconds = job.audio_ms / 1000
    if can.max_audio_seconds is not None and seconds > can.max_audio_seconds:
        limit = f"{can.max_audio_seconds:,.10g} s"
        yield f"{seconds:,.10g} s of audio are more than its limit of {limit}"
    if can.max_audio_bytes is not None and job.audio_bytes > can.max_audio_bytes:
        yield f"{job.audio_bytes:,} bytes are more than its limit of {can.max_audio_bytes:,}"


def _not_permitted(backend: str, can: Capabilities, permission: Permission) -> Iterator[str]:
    if permission.backends is not None and backend not in permission.backends:
        listed = ", ".join(permission.backends) or "none"
        yield f"the tenant permits the backends {listed}, and not {backend}"
    if can.third_party and not permission.third_parties:
        yield "somebody else's machine would hear the audio, and the tenant forbids third parties"
    if permission.regions is None or can.is_here:
        return
    permitted = {region.casefold() for region in permission.regions}
    listed = ", ".join(permission.regions) or "none"
    if not can.regions:
        yield f"its region is unknown, and the tenant permits {listed}"
    outside = sorted(region for region in can.regions if region.casefold() not in permitted)
    if outside:
        yield f"it may run in {', '.join(outside)}, and the tenant permits {listed}"


def _too_dear(quote: Quote, can: Capabilities, left: Sequence[Left]) -> Iterator[str]:
    """Only what is on somebody's bill is held by limits; the tightest of them is named."""
    if not can.paid or not left:
        return
    tightest = min(left, key=lambda one: (one.left_usd, one.limit))
    if quote.ceiling_usd > tightest.left_usd:
        about = "about" if quote.most_usd is None else "up to"
        yield (
            f"{about} {quote.ceiling_usd:f} USD would pass "
            f"{tightest.limit}={tightest.limit_usd:f}, of which "
            f"{max(tightest.left_usd, Decimal(0)):f} USD are left"
        )
