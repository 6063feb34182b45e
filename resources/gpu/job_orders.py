"""Orders for the engine, and the records that it writes about them; no I/O of its own."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from escriba.billing.attempts import Attempt, AttemptEnd, AttemptSession
from escriba.billing.permissions import Permission
from escriba.billing.quotes import JobSize, size_of
from escriba.errors import BackendUnavailableError
from gpu_job.contract import JobLimits, JobRequest, Lease, Usage
from gpu_job.contract.process_identity import here

from .backend import Progress
from .backend_state import ChosenBackend
from .forward_progress import ForwardProgress
from .idempotency import OUT_OF_TIME, Verdict
from .job_folder import ADDRESS_MARGIN, FrozenRequest, JobFolder, ResultHead, now

_HEARTBEAT_SECONDS = 30.0  # a lost worker's work after its last heartbeat is unknown
SHORTEST_QUEUE_SECONDS = 900  # a shorter validity of the addresses is not worth a submission


@dataclass(frozen=True)
class JobOrder:
    """A job to run, and its recording; the request is in the folder.

    It holds nothing that grows with the audio: a thousand orders wait in one process, and the
    speech regions of two hours take a megabyte. retry: attempts of earlier runs do not count
    against `max_attempts`. language: the requested one; empty: detect it. preferred: the backend of
    SPEAKERS_BACKEND, in a job that only finds speakers; empty: PRIMARY_BACKEND decides.
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
    language: str = ""
    preferred: str = ""


def order_of(  # noqa: PLR0913  # the parts of an order, by name
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
    preferred: str = "",
) -> JobOrder:
    """The order for a request, which is stored in the folder; an existing request is kept."""
    stored = folder.freeze(request)
    options = stored.options
    size = size_of(
        options,
        audio_ms=stored.audio_ms,
        speech_ms=sum(region.end_ms - region.start_ms for region in stored.regions),
        audio_bytes=audio_bytes,
        channels=audio_channels,
    )
    return JobOrder(
        folder=folder,
        size=size,
        diarizer=options.diarizer,
        audio_key=audio_key,
        audio_sha256=audio_sha256,
        audio_channels=audio_channels,
        recording=request.recording,
        progress=ForwardProgress(progress),
        permission=permission or Permission(),
        retry=retry,
        language=options.language or "",
        preferred=preferred,
    )


@dataclass(frozen=True)
class FinishedJob:
    """The author of the result in the job's folder, and all attempts that it took."""

    result: ResultHead
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """The longest time in seconds that an attempt may wait in a queue, and run."""

    queue_seconds: int
    run_seconds: int


def limits_of(
    most: AttemptLimits, chosen: ChosenBackend, address_life: timedelta | None
) -> AttemptLimits:
    """The limits of one attempt: on a paid backend, its run ends with its reservation.

    Addresses must outlive both limits; if the credential expires early, the queue limit shrinks.

    Raises:
        BackendUnavailableError: the credential expires too soon.
    """
    run = most.run_seconds
    if chosen.backend.capabilities.paid:
        run = min(run, chosen.quote.run_limit_seconds)
    if address_life is None:
        return AttemptLimits(most.queue_seconds, run)
    queue = min(most.queue_seconds, int((address_life - ADDRESS_MARGIN).total_seconds()) - run)
    if queue < min(SHORTEST_QUEUE_SECONDS, most.queue_seconds):
        raise BackendUnavailableError(
            f"URLs signed now are valid for {address_life.total_seconds() / 60:.0f} minutes, too "
            f"short for a job of up to {run / 60:.0f} minutes. Use credentials that last longer, "
            "such as a user's key, or lower JOB_TIMEOUT_SECONDS.",
            lasting=True,
        )
    return AttemptLimits(queue, run)


def new_attempt(
    order: JobOrder, number: int, queued_at: datetime, chosen: ChosenBackend, limits: AttemptLimits
) -> Attempt:
    """The record of an attempt that starts now."""
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


def request_of(order: JobOrder, attempt: Attempt) -> JobRequest:
    """The worker's request, read from the folder, with the addresses of this attempt."""
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
    attempt: Attempt, verdict: Verdict, lease: Lease | None, died_at: datetime | None
) -> AttemptEnd:
    """How an attempt ended, by the verdict and by what its worker wrote into the lease."""
    usage = lease.usage if lease else None
    error = lease.error if lease else None
    is_bad = verdict.status != "done"
    error_type = error.code if error else (verdict.error_type or verdict.status) * is_bad
    return AttemptEnd(
        status=verdict.status,
        error_type=OUT_OF_TIME if _ran_out_of_time(attempt, verdict, lease) else error_type,
        error=error.message if error else (verdict.reason if is_bad else ""),
        permanent=error is not None and error.permanent,
        is_reclaimed=error is not None and error.reason == "preempted",
        worker=usage.worker if usage else "",
        session=_session(usage) if usage else None,
        started_at=usage.started_at if usage else None,
        ended_at=died_at or (usage.ended_at if usage else now()),
        language=verdict.language,
        segments=verdict.segments,
        bought_ms=usage.bought_ms if usage else None,
    )


def _ran_out_of_time(attempt: Attempt, verdict: Verdict, lease: Lease | None) -> bool:
    """Whether it stopped at the end of its reservation; the next attempt resumes from there."""
    if lease is None or lease.usage is None or not attempt.quote_usd or verdict.status == "done":
        return False
    if lease.error is not None and lease.error.permanent:
        return False
    unknown_seconds = _HEARTBEAT_SECONDS if verdict.status == "lost" else 0.0
    return lease.usage.run_seconds + unknown_seconds >= attempt.run_limit_seconds


def _session(usage: Usage) -> AttemptSession | None:
    """The worker's session; None if an older worker did not report it."""
    if not usage.boot:
        return None
    return AttemptSession(
        boot=usage.boot,
        sequence=usage.sequence,
        gpu=usage.gpu,
        container_started_at=usage.container_started_at,
        models_ready_at=usage.models_ready_at,
        machine=usage.machine,
    )
