"""What a worker's life cost beside its jobs: boot, busy and idle seconds, a row for each job."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .attempts import Attempt
from .prices import Price

SESSION_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One row of `ledger/instances`: one job in the life of one worker.

    `session_id` names the life, `row_id` the job in it. The view `instances` puts the rows of a
    life together: boot is from `container_started_at` to `models_ready_at`, busy the sum of the
    jobs, idle what lies between and `idle_timeout_seconds` after the last one.
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
    schema_version: int = SESSION_SCHEMA_VERSION


def session_row(attempt: Attempt, price: Price) -> SessionRow | None:
    """The row of an attempt that has ended; None where no worker ever began it, or said who."""
    end = attempt.end
    if end is None or end.session is None or end.started_at is None:
        return None
    life = end.session
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
        job_ended_at=end.ended_at,
        idle_timeout_seconds=attempt.idle_seconds,
        usd_per_hour=price.usd_per_hour,
    )
