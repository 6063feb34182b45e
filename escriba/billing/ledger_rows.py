"""The row of an attempt in the ledger, `ledger/attempts`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated

from .attempts import Attempt, Status, recorded_run_seconds
from .price_book import NANODOLLAR, Price, Tariff
from .price_periods import plausible_run_seconds, run_usd
from .spot_prices import at_spot_price

# 2: language, 3: audio_bytes, 4: segments, 5: spot_usd_per_hour, 6: bought_audio_seconds
SCHEMA_VERSION = 6
Int64 = Annotated[int, "int64"]  # a column of the ledger; a plain int is int32 there


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
    diarizer: str | None = ""  # None: written by an earlier version
    language: str | None = None  # a code; None: unknown, or written by an earlier version
    audio_bytes: Int64 | None = None  # sent to the worker; None: written by an earlier version
    segments: int | None = None  # of its transcript; None: it has none, or an earlier version
    spot_usd_per_hour: Decimal | None = None  # of its zone; None: the price book has the price
    bought_audio_seconds: float | None = None  # billed by an API; None: unknown, so all of it
    schema_version: int = SCHEMA_VERSION


def ledger_row(attempt: Attempt, price: Price | Tariff) -> LedgerRow:
    """The row of an ended attempt, with each second at its own price.

    Its cost is what is known at its end. The marts use the current prices of the price book, and
    leave out seconds that another job of the same worker already pays for.

    Raises:
        ValueError: the attempt has not ended.
    """
    end = attempt.end
    if end is None:
        raise ValueError(f"attempt {attempt.attempt_id} has not ended")
    started = end.started_at or end.ended_at
    run_seconds = plausible_run_seconds(recorded_run_seconds(end), attempt.run_limit_seconds)
    audio_seconds = attempt.audio_ms / 1000
    price = at_spot_price(price, end.spot_usd_per_hour)
    bought_seconds = None if end.bought_ms is None else end.bought_ms / 1000
    cost = run_usd(
        price,
        started,
        run_seconds=run_seconds,
        audio_seconds=audio_seconds,
        bought_seconds=bought_seconds,
    )
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
        spot_usd_per_hour=end.spot_usd_per_hour,
        bought_audio_seconds=bought_seconds,
    )


def per_audio_hour(cost: Decimal, audio_seconds: float) -> Decimal | None:
    """USD per hour of audio; None without audio."""
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
    """The row of a recording that needed no job: silent, or a duplicate of another one."""
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
