"""Rows of `ledger/instances`, which give a worker's boot, busy and idle time: one for each job.

A life is what is billed from its start to its end: a container, or a leased machine with all the
processes that follow one another on it (docs/decisions/0020).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from escriba.backend_names import AWS_GPU

from .attempts import Attempt, AttemptEnd, AttemptSession, recorded_run_seconds
from .price_book import Price, Tariff
from .price_periods import plausible_run_seconds
from .spot_prices import at_spot_price

SESSION_SCHEMA_VERSION = 3  # 2: warm_workers, 3: instance_id, instance_type, zone, is_spot,
# is_free, spot_usd_per_hour
_FREE_IF_RECLAIMED_WITHIN = timedelta(hours=1)  # EC2's rule for Linux
_MILLISECOND = timedelta(milliseconds=1)
_LARGEST = 2**31 - 1  # of a column: milliseconds of 24 days


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One row of `ledger/instances`: one job in a worker's life.

    `session_id` names the life, `row_id` the job in it. The view `instances` combines the rows of
    a life: boot is from `container_started_at` to `models_ready_at`, busy the sum of the jobs,
    idle the time between them and `idle_timeout_seconds` after the last one. A gap longer than
    the timeout is not idle, since the worker was frozen and resumed, unless the backend keeps
    workers warm, or the life is that of a leased machine: they are paid all the time.

    sequence: orders the jobs of a life; the number of the job, or on a leased machine the
    milliseconds from the machine's start to that of the job. container_started_at: when billing
    began. warm_workers: workers that the backend keeps running. instance_id, instance_type, zone,
    is_spot: the leased machine, as its provider names it. is_free: EC2 took it back within its
    first hour, and bills nothing of its life. spot_usd_per_hour: the mean spot price of its zone
    during the job, which also applies to the boot before and the idle time after it. Each is None
    if unknown, or written by an earlier version.
    """

    row_id: str
    session_id: str
    sequence: int
    attempt_id: str
    backend: str
    sku: str
    worker: str
    gpu: str
    container_started_at: datetime | None
    models_ready_at: datetime | None
    job_started_at: datetime
    job_ended_at: datetime
    idle_timeout_seconds: float
    usd_per_hour: Decimal
    warm_workers: int | None = None
    instance_id: str | None = None
    instance_type: str | None = None
    zone: str | None = None
    is_spot: bool | None = None
    is_free: bool | None = None
    spot_usd_per_hour: Decimal | None = None
    schema_version: int = SESSION_SCHEMA_VERSION


def session_row(attempt: Attempt, price: Price | Tariff) -> SessionRow | None:
    """The row of an ended attempt; None if no worker started it or identified itself."""
    end = attempt.end
    if end is None or end.session is None or end.started_at is None:
        return None
    life = end.session
    run_seconds = plausible_run_seconds(recorded_run_seconds(end), attempt.run_limit_seconds)
    machine = life.machine
    price = at_spot_price(price, end.spot_usd_per_hour)
    session_id = f"{attempt.backend}:{machine.id if machine else life.boot}"
    job = f"{life.boot}:{life.sequence}" if machine else f"{life.sequence}"
    return SessionRow(
        row_id=f"{session_id}:{job}",
        session_id=session_id,
        sequence=_place_in_life(life, end.started_at),
        attempt_id=attempt.attempt_id,
        backend=attempt.backend,
        sku=attempt.sku,
        worker=end.worker,
        gpu=life.gpu,
        # an unpaid machine has no boot cost
        container_started_at=life.billed_since if attempt.quote_usd else None,
        models_ready_at=life.models_ready_at,
        job_started_at=end.started_at,
        job_ended_at=end.started_at + timedelta(seconds=run_seconds),
        idle_timeout_seconds=attempt.idle_seconds,
        usd_per_hour=price.at(end.started_at).usd_per_hour,
        warm_workers=attempt.warm_workers,
        instance_id=machine.id if machine else None,
        instance_type=(machine.type or None) if machine else None,
        zone=(machine.zone or None) if machine else None,
        is_spot=machine.is_spot if machine else None,
        is_free=_is_free(attempt.backend, end) if machine else None,
        spot_usd_per_hour=end.spot_usd_per_hour,
    )


def _is_free(backend: str, end: AttemptEnd) -> bool:
    """Whether EC2 interrupted the spot machine within its first hour."""
    life = end.session
    if backend != AWS_GPU or life is None or life.machine is None or not life.machine.is_spot:
        return False
    if not end.is_reclaimed or life.machine.started_at is None:
        return False
    return end.ended_at - life.machine.started_at < _FREE_IF_RECLAIMED_WITHIN


def _place_in_life(life: AttemptSession, started_at: datetime) -> int:
    """Orders the jobs of a life; processes on one machine do not know each other's numbers."""
    if life.machine is None or life.billed_since is None:
        return life.sequence
    return min(max((started_at - life.billed_since) // _MILLISECOND, 1), _LARGEST)
