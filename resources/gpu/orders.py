"""What is ordered of the engine, and the records it writes about it; no I/O."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from gpu_job.contract import Claim, JobLimits, JobRequest, Usage
from gpu_job.place import here
from pipelines.billing.attempts import Attempt, AttemptEnd, Session
from pipelines.billing.policy import Permission
from pipelines.billing.quotes import JobSize, size_of
from resources.failures import BackendUnavailableError

from .base import Progress
from .job_folder import ADDRESS_MARGIN, FrozenRequest, JobFolder, ResultHead, now
from .paid_once import OUT_OF_TIME, Verdict

if TYPE_CHECKING:
    from .fleet import Chosen

_BEAT_SECONDS = 30.0  # what a worker that is lost did after its last beat, nobody knows
SHORTEST_QUEUE_SECONDS = 900  # addresses that live less are not worth a submission


@dataclass(frozen=True)
class Order:
    """A job that is wanted, and for which recording; its request lies in the folder.

    It holds nothing that grows with the audio: a thousand orders wait in one process, and the
    speech regions of two hours take a megabyte. With `retry`, computations of earlier runs do not
    count against `max_attempts`.
    """

    folder: JobFolder
    size: JobSize
    diarizer: str
    audio_key: str
    audio_sha256: str
    audio_channels: int
    recording: str
    progress: Progress
    permission: Permission = field(default_factory=Permission)
    retry: bool = False
    language: str = ""  # that is asked for; empty: to be detected


def order_of(  # noqa: PLR0913  # what an order is made of, by name
    folder: JobFolder,
    request: FrozenRequest,
    *,
    audio_key: str,
    audio_sha256: str,
    audio_channels: int,
    audio_bytes: int,
    progress: Progress,
    permission: Permission | None = None,
    retry: bool = False,
) -> Order:
    """The order of a request, which is frozen in the folder; an earlier one stands."""
    standing = folder.freeze(request)
    options = standing.options
    size = size_of(
        options,
        audio_ms=standing.audio_ms,
        speech_ms=sum(region.end_ms - region.start_ms for region in standing.regions),
        audio_bytes=audio_bytes,
        channels=audio_channels,
    )
    return Order(
        folder=folder,
        size=size,
        diarizer=options.diarizer,
        audio_key=audio_key,
        audio_sha256=audio_sha256,
        audio_channels=audio_channels,
        recording=request.recording,
        progress=progress,
        permission=permission or Permission(),
        retry=retry,
        language=options.language or "",
    )


@dataclass(frozen=True)
class Finished:
    """Whose result there is in the job's folder, and all attempts it took."""

    result: ResultHead
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that an attempt may wait in a queue, and run, at most."""

    queue_seconds: int
    run_seconds: int


def sized(most: Limits, chosen: "Chosen", address_life: timedelta | None) -> Limits:
    """The limits of one attempt: where time is money, its run ends with its reservation.

    Addresses must outlive both; where a credential ends early, the queue is what gives way.

    Raises:
        BackendUnavailableError: too little of the credential's life is left.
    """
    run = most.run_seconds
    if chosen.backend.capabilities.paid:
        run = min(run, chosen.quote.run_limit_seconds)
    if address_life is None:
        return Limits(most.queue_seconds, run)
    queue = min(most.queue_seconds, int((address_life - ADDRESS_MARGIN).total_seconds()) - run)
    if queue < min(SHORTEST_QUEUE_SECONDS, most.queue_seconds):
        raise BackendUnavailableError(
            f"Addresses signed now live {address_life.total_seconds() / 60:.0f} minutes, which a "
            f"job of up to {run / 60:.0f} minutes outlives: use credentials that last longer, "
            "such as a user's key, or a smaller JOB_TIMEOUT_SECONDS.",
            lasting=True,
        )
    return Limits(queue, run)


def new_attempt(
    order: Order, number: int, queued_at: datetime, chosen: "Chosen", limits: Limits
) -> Attempt:
    """The record of an attempt that begins now."""
    return Attempt(
        job=order.folder.job,
        attempt=number,
        nonce=secrets.token_hex(8),
        backend=chosen.backend.name,
        sku=chosen.backend.sku,
        tenant=order.folder.tenant,
        recording=order.recording,
        model=order.size.model,
        audio_ms=order.size.audio_ms,
        speech_ms=order.size.speech_ms,
        audio_bytes=order.size.audio_bytes,
        queued_at=queued_at,
        created_at=now(),
        creator=here(),
        queue_limit_seconds=limits.queue_seconds,
        run_limit_seconds=limits.run_seconds,
        quote_usd=chosen.quote.ceiling_usd if chosen.backend.capabilities.paid else Decimal(0),
        overhead_usd=chosen.quote.overhead_usd,
        idle_seconds=chosen.backend.capabilities.idle_seconds,
        warm_workers=chosen.backend.capabilities.warm_workers,
        route=chosen.route,
        diarizer=order.diarizer,
        language=order.language,
    )


def request_of(order: Order, attempt: Attempt) -> JobRequest:
    """What the worker is asked, read from the folder, with the addresses of this attempt."""
    frozen = order.folder.frozen()
    return JobRequest(
        job=attempt.job,
        attempt=attempt.attempt,
        nonce=attempt.nonce,
        options=frozen.options,
        regions=frozen.regions,
        audio_ms=frozen.audio_ms,
        audio_sha256=order.audio_sha256,
        audio_channels=order.audio_channels,
        model_revision=frozen.model_revision,
        addresses=order.folder.addresses(attempt, order.audio_key),
        limits=JobLimits(
            queue_seconds=attempt.queue_limit_seconds, run_seconds=attempt.run_limit_seconds
        ),
    )


def end_of(
    attempt: Attempt, verdict: Verdict, claim: Claim | None, died: datetime | None
) -> AttemptEnd:
    """How an attempt ended, by the verdict and by what its worker left in the claim."""
    usage = claim.usage if claim else None
    error = claim.error if claim else None
    bad = verdict.status != "done"
    kind = error.code if error else (verdict.error_type or verdict.status) * bad
    return AttemptEnd(
        status=verdict.status,
        error_type=OUT_OF_TIME if _ran_out(attempt, verdict, claim) else kind,
        error=error.message if error else (verdict.reason if bad else ""),
        permanent=error is not None and error.permanent,
        worker=usage.worker if usage else "",
        session=_session(usage) if usage else None,
        started_at=usage.started_at if usage else None,
        ended_at=died or (usage.ended_at if usage else now()),
        language=verdict.language,
        segments=verdict.segments,
    )


def _ran_out(attempt: Attempt, verdict: Verdict, claim: Claim | None) -> bool:
    """Whether it was stopped where its reservation ended; the next one goes on from there."""
    if claim is None or claim.usage is None or not attempt.quote_usd or verdict.status == "done":
        return False
    if claim.error is not None and claim.error.permanent:
        return False
    unknown_seconds = _BEAT_SECONDS if verdict.status == "lost" else 0.0
    return claim.usage.run_seconds + unknown_seconds >= attempt.run_limit_seconds


def _session(usage: Usage) -> Session | None:
    """None where a worker of an older version did not say."""
    if not usage.boot:
        return None
    return Session(
        boot=usage.boot,
        sequence=usage.sequence,
        gpu=usage.gpu,
        container_started_at=usage.container_started_at,
        models_ready_at=usage.models_ready_at,
    )
