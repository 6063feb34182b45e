"""What a worker's life cost beside its jobs: boot, busy and idle seconds, a row for each job."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from .attempts import Attempt, said_run_seconds
from .prices import Price, Tariff
from .stretches import believed_run_seconds

SESSION_SCHEMA_VERSION = 2  # 2: warm_workers


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One row of `ledger/instances`: one job in the life of one worker.

    `session_id` names the life, `row_id` the job in it. The view `instances` puts the rows of a
    life together: boot is from `container_started_at` to `models_ready_at`, busy the sum of the
    jobs, idle what lies between and `idle_timeout_seconds` after the last one. A gap that is
    longer than the timeout is no idle: the worker was frozen, and resumed; unless warm workers
    were asked for, which are paid all the time.

    warm_workers: that were asked for; None: written before it was kept.
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
    schema_version: int = SESSION_SCHEMA_VERSION


def session_row(attempt: Attempt, price: Price | Tariff) -> SessionRow | None:
    """The row of an attempt that has ended; None where no worker ever began it, or said who."""
    end = attempt.end
    if end is None or end.session is None or end.started_at is None:
        return None
    life = end.session
    run_seconds = believed_run_seconds(said_run_seconds(end), attempt.run_limit_seconds)
    session_id = f"{attempt.backend}:{life.boot}"
    return SessionRow(
        row_id=f"{session_id}:{life.sequence}",
        session_id=session_id,
        sequence=life.sequence,
        attempt_id=attempt.attempt_id,
        backend=attempt.backend,
        sku=attempt.sku,
        worker=end.worker,
        gpu=life.gpu,
        # what a machine that nobody pays for did since its start is nobody's boot
        container_started_at=life.container_started_at if attempt.quote_usd else None,
        models_ready_at=life.models_ready_at,
        job_started_at=end.started_at,
        job_ended_at=end.started_at + timedelta(seconds=run_seconds),
        idle_timeout_seconds=attempt.idle_seconds,
        usd_per_hour=price.at(end.started_at).usd_per_hour,
        warm_workers=attempt.warm_workers,
    )
