"""One attempt at a job, how it ended, and its row in the ledger."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gpu_job.contract import Place

from .prices import NANODOLLAR, Price, Tariff
from .routing import Route
from .stretches import believed_run_seconds, run_usd

SCHEMA_VERSION = 4  # 2: language, 3: audio_bytes, 4: segments

# done: its result stands; failed: the worker said why; stopped: it gave up in good order;
# lost: it died or was cut off; buried: it never began; none: no job was needed
Status = Literal["done", "failed", "stopped", "lost", "buried", "none"]


class Session(BaseModel):
    """Of which worker's life an attempt was a part; what that life cost is more than its jobs.

    boot: names the life. sequence: the how manieth job of it, from 1. container_started_at: when
    it began to cost; models_ready_at: when it could begin.
    """

    model_config = ConfigDict(frozen=True)

    boot: str
    sequence: int
    gpu: str = ""
    container_started_at: datetime | None = None
    models_ready_at: datetime | None = None


class AttemptEnd(BaseModel):
    """How an attempt ended. Times are None where no worker ever began."""

    model_config = ConfigDict(frozen=True)

    status: Status
    error_type: str = ""
    error: str = ""
    permanent: bool = False
    worker: str = ""
    session: Session | None = None
    started_at: datetime | None = None
    ended_at: datetime
    language: str = ""  # that was spoken, where a result tells
    segments: int | None = None  # of the result, where there is one


class Attempt(BaseModel):
    """`attempt-<n>.json`: created when the attempt begins, closed with `end`."""

    model_config = ConfigDict(frozen=True)

    job: str
    attempt: int
    nonce: str
    backend: str
    sku: str
    tenant: str
    recording: str
    model: str
    diarizer: str = ""  # empty: written before it was kept
    language: str = ""  # that was asked for; empty: to be detected
    audio_ms: int
    speech_ms: int
    audio_bytes: int = 0  # that were handed over; 0: written before it was kept
    queued_at: datetime
    created_at: datetime
    creator: Place
    queue_limit_seconds: int
    run_limit_seconds: int
    quote_usd: Decimal = Decimal(0)  # what was reserved for it; 0 where nobody pays
    overhead_usd: Decimal = Decimal(0)  # of that, for a boot and an idle worker
    idle_seconds: float = 0.0  # paid, after the last job of a worker's life
    warm_workers: int = 0  # that are asked for, and paid whether they have a job or not
    route: Route | None = None  # why it went where it went
    end: AttemptEnd | None = None

    @property
    def attempt_id(self) -> str:
        """The job's identity within its tenant, and the number of the attempt."""
        return f"{self.tenant}:{self.job}:{self.attempt}"


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row of `ledger/attempts`. Seconds are floats, money is Decimal USD, times are UTC."""

    attempt_id: str
    job_id: str
    attempt: int
    tenant: str
    recording: str
    backend: str
    sku: str
    model: str
    status: Status
    error_type: str
    worker: str
    audio_seconds: float
    speech_seconds: float
    queue_seconds: float
    start_seconds: float
    run_seconds: float
    rtf: float | None
    usd_per_hour: Decimal
    cost_usd: Decimal
    cost_usd_per_audio_hour: Decimal | None
    queued_at: datetime
    started_at: datetime
    ended_at: datetime
    diarizer: str | None = ""  # None: written before it was kept
    language: str | None = None  # a code; None: unknown, or written before it was kept
    audio_bytes: int | None = None  # of the audio that was handed over; None as above
    segments: int | None = None  # of its transcript; None: it has none, or as above
    schema_version: int = SCHEMA_VERSION


def ledger_row(attempt: Attempt, price: Price | Tariff) -> LedgerRow:
    """The row of an attempt that has ended, each second at its own price.

    Its cost is what was known when it ended: the marts have it at the prices that the book has
    by now, and without the seconds that another job of the same worker had already.

    Raises:
        ValueError: the attempt has not ended.
    """
    end = attempt.end
    if end is None:
        raise ValueError(f"attempt {attempt.attempt_id} has not ended")
    started = end.started_at or end.ended_at
    run_seconds = believed_run_seconds(said_run_seconds(end), attempt.run_limit_seconds)
    audio_seconds = attempt.audio_ms / 1000
    cost = run_usd(price, started, run_seconds=run_seconds, audio_seconds=audio_seconds)
    return LedgerRow(
        attempt_id=attempt.attempt_id,
        job_id=attempt.job,
        attempt=attempt.attempt,
        tenant=attempt.tenant,
        recording=attempt.recording,
        backend=attempt.backend,
        sku=attempt.sku,
        model=attempt.model,
        status=end.status,
        error_type=end.error_type,
        worker=end.worker,
        audio_seconds=audio_seconds,
        speech_seconds=attempt.speech_ms / 1000,
        queue_seconds=_seconds(attempt.queued_at, attempt.created_at),
        start_seconds=_seconds(attempt.created_at, started),
        run_seconds=run_seconds,
        rtf=run_seconds / audio_seconds if audio_seconds and end.status == "done" else None,
        usd_per_hour=price.at(started).usd_per_hour.quantize(NANODOLLAR, ROUND_HALF_EVEN),
        cost_usd=cost,
        cost_usd_per_audio_hour=per_audio_hour(cost, audio_seconds),
        queued_at=attempt.queued_at,
        started_at=started,
        ended_at=started + timedelta(seconds=run_seconds),
        diarizer=attempt.diarizer,
        language=end.language or attempt.language or None,
        audio_bytes=attempt.audio_bytes or None,
        segments=end.segments,
    )


def said_run_seconds(end: AttemptEnd) -> float:
    """Between its beginning and its end, as its record has them; 0 where no worker ever began."""
    return (end.ended_at - end.started_at).total_seconds() if end.started_at else 0.0


def doubt_of(attempt: Attempt) -> str:
    """What its clocks say and cannot be, in a sentence for people; empty where there is nothing."""
    if attempt.end is None:
        return ""
    said = said_run_seconds(attempt.end)
    believed = believed_run_seconds(said, attempt.run_limit_seconds)
    if said == believed:
        return ""
    return (
        f"Attempt {attempt.attempt} of {attempt.recording} ran for {said:,.0f} s, as its clocks "
        f"say, which cannot be with a limit of {attempt.run_limit_seconds:,} s: "
        f"{believed:,.0f} s are paid. Was the clock of {attempt.end.worker or 'its machine'} set?"
    )


def per_audio_hour(cost: Decimal, audio_seconds: float) -> Decimal | None:
    """USD for an hour of audio; None where there is no audio to divide by."""
    if not audio_seconds:
        return None
    return (cost * 3600 / Decimal(repr(audio_seconds))).quantize(NANODOLLAR, ROUND_HALF_EVEN)


def row_without_job(  # noqa: PLR0913  # one row, named field by field
    *,
    attempt_id: str,
    job_id: str,
    tenant: str,
    recording: str,
    audio_seconds: float,
    speech_seconds: float,
    now: datetime,
) -> LedgerRow:
    """The row of a recording that needed no job of its own: silence, or a twin's result."""
    nothing = Decimal(0)
    return LedgerRow(
        attempt_id=attempt_id,
        job_id=job_id,
        attempt=0,
        tenant=tenant,
        recording=recording,
        backend="none",
        sku="",
        model="",
        status="none",
        error_type="",
        worker="",
        audio_seconds=audio_seconds,
        speech_seconds=speech_seconds,
        queue_seconds=0.0,
        start_seconds=0.0,
        run_seconds=0.0,
        rtf=None,
        usd_per_hour=nothing,
        cost_usd=nothing,
        cost_usd_per_audio_hour=nothing,
        queued_at=now,
        started_at=now,
        ended_at=now,
    )


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())
