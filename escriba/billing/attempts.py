"""One attempt at a job, and how it ended."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gpu_job.contract import CloudMachine, Milliseconds, WorkerPlace

from .price_periods import plausible_run_seconds
from .routing import Route

Usd = Annotated[Decimal, Field(ge=0, lt=1_000_000_000)]  # the cost tables take no more
# done: it has a result; failed: the worker reported an error; stopped: it ended early in an orderly
# way; lost: it died or was cut off; buried: it never started; none: no job was needed
Status = Literal["done", "failed", "stopped", "lost", "buried", "none"]


class AttemptSession(BaseModel):
    """The worker life that an attempt was part of; a life costs more than its jobs.

    boot: the id of the process. sequence: the number of the job in it, from 1.
    container_started_at: when it began to cost. models_ready_at: when it could start its first job.
    machine: the leased machine, which may outlive the process and is billed from its own start.
    """

    model_config = ConfigDict(frozen=True)

    boot: str
    sequence: int
    gpu: str = ""
    container_started_at: datetime | None = None
    models_ready_at: datetime | None = None
    machine: CloudMachine | None = None

    @property
    def billed_since(self) -> datetime | None:
        """When its cost began; None if unknown."""
        began = self.machine.started_at if self.machine else None
        return began or self.container_started_at


class AttemptEnd(BaseModel):
    """How an attempt ended. Times are None if no worker started it.

    is_reclaimed: its provider gave notice that it takes the machine. spot_usd_per_hour: the mean
    spot price of the machine's zone over the run, from the provider's history; None: the price book
    applies. bought_ms: audio that an API billed, or may have billed, in this attempt; None: not
    known.
    """

    model_config = ConfigDict(frozen=True)

    status: Status
    error_type: str = ""
    error: str = ""
    permanent: bool = False
    worker: str = ""
    session: AttemptSession | None = None
    started_at: datetime | None = None
    ended_at: datetime
    language: str = ""  # spoken language, if the result has it
    segments: int | None = None  # in the result, if there is one
    is_reclaimed: bool = False
    spot_usd_per_hour: Usd | None = None
    bought_ms: Milliseconds | None = None


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
    diarizer: str = ""  # empty: written by an earlier version
    language: str = ""  # requested language; empty: detect it
    audio_ms: Milliseconds
    speech_ms: Milliseconds
    audio_bytes: int = Field(0, ge=0)  # sent to the worker; 0: written by an earlier version
    queued_at: datetime
    created_at: datetime
    creator: WorkerPlace
    queue_limit_seconds: int = Field(ge=0)
    run_limit_seconds: int = Field(ge=0)
    quote_usd: Usd = Decimal(0)  # reserved for it; 0 on an unpaid backend
    overhead_usd: Usd = Decimal(0)  # the part of it for boot and idle time
    # paid after the last job of a worker's life
    idle_seconds: float = Field(0.0, ge=0, allow_inf_nan=False)
    warm_workers: int = 0  # paid all the time, with or without a job
    route: Route | None = None  # why this backend was chosen
    end: AttemptEnd | None = None

    @property
    def attempt_id(self) -> str:
        """Tenant, job and number of the attempt."""
        return f"{self.tenant}:{self.job}:{self.attempt}"


def recorded_run_seconds(end: AttemptEnd) -> float:
    """Seconds from start to end as recorded; 0 if no worker started the attempt."""
    return (end.ended_at - end.started_at).total_seconds() if end.started_at else 0.0


def clock_warning(attempt: Attempt) -> str:
    """A warning about an impossible run time, as a sentence; empty if there is none."""
    if attempt.end is None:
        return ""
    recorded = recorded_run_seconds(attempt.end)
    counted = plausible_run_seconds(recorded, attempt.run_limit_seconds)
    if recorded == counted:
        return ""
    return (
        f"Attempt {attempt.attempt} of {attempt.recording} reports a run of {recorded:,.0f} s, "
        f"which is impossible with a limit of {attempt.run_limit_seconds:,} s. Escriba "
        f"counts {counted:,.0f} s. Check the clock of {attempt.end.worker or 'its machine'}."
    )
