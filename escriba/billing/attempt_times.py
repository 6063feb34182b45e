"""The times of an ended attempt from which its cost is computed for spending limits."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from .attempts import Status
from .ledger_rows import LedgerRow
from .quotes import finds_only_speakers
from .worker_sessions import SessionRow

MICROSECOND = timedelta(microseconds=1)
_CLOCK_TOLERANCE = timedelta(minutes=15)
_LONGEST_BOOT = timedelta(hours=1)  # a longer boot means a wrong clock, and costs nothing


@dataclass(frozen=True, slots=True)
class LifeJob:
    """One job in a worker's life, as in `ledger/instances`; sequence: orders the jobs.

    is_endless: idle time is paid until the next job, however late, because the worker is kept
    warm or is a leased machine. Any other worker that seems to wait longer than its timeout was
    frozen and resumed.
    is_warm: idle time has the active price of the sku. is_free: the provider bills nothing of the
    whole life.
    """

    boot: str
    sequence: int
    began_at: datetime
    ready_at: datetime
    idle_timeout: timedelta
    is_endless: bool = False
    is_warm: bool = False
    is_free: bool = False


@dataclass(frozen=True, slots=True)
class AttemptTimes:
    """One attempt. life: None if no worker started it, or the worker did not identify itself.

    run_usd: from the ledger's row. reserved_usd: its maximum cost, which includes overhead_usd
    for boot and idle time. audio: the length of its recording; 0 for a job that only finds
    speakers, since the audio counts with its words. spot_usd_per_hour: the price of its
    machine's zone; None: the price book has the price.
    """

    tenant: str
    backend: str
    sku: str
    status: Status
    created_at: datetime
    started_at: datetime
    ended_at: datetime
    run: timedelta
    run_usd: Decimal
    reserved_usd: Decimal = Decimal(0)
    overhead_usd: Decimal = Decimal(0)
    audio: timedelta = timedelta(0)
    life: LifeJob | None = None
    spot_usd_per_hour: Decimal | None = None

    @property
    def busy(self) -> timedelta:
        """How long it kept its worker busy, by the times of the ledger."""
        return self.ended_at - self.started_at

    @property
    def died(self) -> bool:
        """Whether its worker ended with it and so did not wait for another job."""
        return self.status in {"lost", "stopped"}


def attempt_times_of(
    row: LedgerRow,
    session: SessionRow | None,
    *,
    created_at: datetime,
    reserved_usd: Decimal,
    overhead_usd: Decimal,
) -> AttemptTimes:
    """The times of an attempt from its ledger rows, which the cost tables use as well."""
    return AttemptTimes(
        tenant=row.tenant,
        backend=row.backend,
        sku=row.sku,
        status=row.status,
        created_at=created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        run=timedelta(microseconds=round(row.run_seconds * 1_000_000)),
        run_usd=row.cost_usd,
        reserved_usd=reserved_usd,
        overhead_usd=overhead_usd,
        audio=timedelta(microseconds=round(_audio_seconds(row) * 1_000_000)),
        life=None if session is None else _part(session),
        spot_usd_per_hour=row.spot_usd_per_hour,
    )


def with_plausible_clock(times: AttemptTimes, now: datetime) -> AttemptTimes:
    """The times, shifted to end now if the worker's clock is wrong.

    A clock is wrong if the attempt started before it was created or ends in the future. The shift
    keeps a wrong clock from moving cost to a day that no limit checks.
    """
    is_early = times.started_at < times.created_at - _CLOCK_TOLERANCE
    if not is_early and times.ended_at <= now + _CLOCK_TOLERANCE:
        return times
    shift = now - times.ended_at
    life = times.life
    if life is not None:
        life = replace(life, began_at=life.began_at + shift, ready_at=life.ready_at + shift)
    started_at, ended_at = times.started_at + shift, times.ended_at + shift
    return replace(times, started_at=started_at, ended_at=ended_at, life=life)


def _audio_seconds(row: LedgerRow) -> float:
    return 0.0 if finds_only_speakers(row.model) else row.audio_seconds


def _part(row: SessionRow) -> LifeJob:
    """The row's part in its worker's life; an unknown start is taken as the job's start."""
    began, ready = row.container_started_at or row.job_started_at, row.models_ready_at
    ready = ready or row.job_started_at
    warm = row.warm_workers or 0
    return LifeJob(
        boot=row.session_id.partition(":")[2],
        sequence=row.sequence,
        began_at=ready if ready - began > _LONGEST_BOOT else began,
        ready_at=ready,
        idle_timeout=timedelta(seconds=row.idle_timeout_seconds),
        is_endless=warm > 0 or not row.idle_timeout_seconds or row.instance_id is not None,
        is_warm=warm > 0,
        is_free=bool(row.is_free),
    )
