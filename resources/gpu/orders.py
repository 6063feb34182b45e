"""What is ordered of the engine, and the records it writes about it; no I/O."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from gpu_job.contract import Claim, JobLimits, JobRequest
from gpu_job.place import here
from pipelines.billing.attempts import Attempt, AttemptEnd

from .base import Backend, Progress
from .job_folder import FrozenRequest, JobFolder, ResultHead, now
from .paid_once import Verdict

QUEUE_LIMIT_SECONDS = 3_600


@dataclass(frozen=True)
class Order:
    """A job that is wanted, and for which recording; its request lies in the folder.

    It holds nothing that grows with the audio: a thousand orders wait in one process, and the
    speech regions of two hours take a megabyte. With `retry`, computations of earlier runs do not
    count against `max_attempts`.
    """

    folder: JobFolder
    model: str
    audio_ms: int
    speech_ms: int
    audio_key: str
    audio_sha256: str
    audio_channels: int
    recording: str
    progress: Progress
    retry: bool = False


def order_of(  # noqa: PLR0913  # what an order is made of, by name
    folder: JobFolder,
    request: FrozenRequest,
    *,
    audio_key: str,
    audio_sha256: str,
    audio_channels: int,
    progress: Progress,
    retry: bool = False,
) -> Order:
    """The order of a request, which is frozen in the folder; an earlier one stands."""
    standing = folder.freeze(request)
    return Order(
        folder=folder,
        model=standing.options.model,
        audio_ms=standing.audio_ms,
        speech_ms=sum(region.end_ms - region.start_ms for region in standing.regions),
        audio_key=audio_key,
        audio_sha256=audio_sha256,
        audio_channels=audio_channels,
        recording=request.recording,
        progress=progress,
        retry=retry,
    )


@dataclass(frozen=True)
class Finished:
    """Whose result there is in the job's folder, and all attempts it took."""

    result: ResultHead
    attempts: tuple[Attempt, ...]


@dataclass
class Watch:
    """How long an attempt was looked at, and its claim there or unchanged, on our own clock."""

    clock: Callable[[], float]
    since: float = field(init=False)
    etag: str = ""
    changed: float = field(init=False)
    claimed: float | None = None

    def __post_init__(self) -> None:
        self.since = self.changed = self.clock()

    def see(self, etag: str) -> None:
        if etag != self.etag:
            self.etag, self.changed = etag, self.clock()
            self.claimed = self.changed if self.claimed is None else self.claimed

    @property
    def run_seconds(self) -> float:
        """Since the claim was first seen: the time in a queue is not the worker's."""
        return 0.0 if self.claimed is None else self.clock() - self.claimed


def new_attempt(
    order: Order, number: int, queued_at: datetime, backend: Backend, run_limit_seconds: int
) -> Attempt:
    """The record of an attempt that begins now."""
    return Attempt(
        job=order.folder.job,
        attempt=number,
        nonce=secrets.token_hex(8),
        backend=backend.name,
        sku=backend.sku,
        tenant=order.folder.tenant,
        recording=order.recording,
        model=order.model,
        audio_ms=order.audio_ms,
        speech_ms=order.speech_ms,
        queued_at=queued_at,
        created_at=now(),
        creator=here(),
        queue_limit_seconds=QUEUE_LIMIT_SECONDS,
        run_limit_seconds=run_limit_seconds,
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


def end_of(verdict: Verdict, claim: Claim | None, died: datetime | None) -> AttemptEnd:
    """How an attempt ended, by the verdict and by what its worker left in the claim."""
    usage = claim.usage if claim else None
    error = claim.error if claim else None
    bad = verdict.status != "done"
    return AttemptEnd(
        status=verdict.status,
        error_type=error.code if error else (verdict.error_type or verdict.status) * bad,
        error=error.message if error else (verdict.reason if bad else ""),
        permanent=error is not None and error.permanent,
        worker=usage.worker if usage else "",
        started_at=usage.started_at if usage else None,
        ended_at=died or (usage.ended_at if usage else now()),
    )
