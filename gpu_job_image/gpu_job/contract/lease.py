"""The lease on an attempt, the resources that the attempt used, and how it ended."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from .parts import Contract, Milliseconds

ErrorCode = Literal[
    "audio_unreadable",
    "audio_changed",
    "audio_expired",
    "model_missing",
    "licence",
    "out_of_memory",
    "cancelled",
    "api_refused",
    "internal",
]


class Timings(Contract):
    """Seconds of each step of an attempt. Transcription and diarization may overlap."""

    download_seconds: float = 0
    decode_seconds: float = 0
    load_seconds: float = 0
    transcribe_seconds: float = 0
    diarize_seconds: float = 0
    upload_seconds: float = 0


class WorkerPlace(Contract):
    """Identifies a process, so that its death is known immediately on the same machine."""

    boot_id: str
    pid_namespace: str
    pid: int
    started: str  # start time of the process, in a unit of the platform: compare for equality only


class CloudMachine(Contract):
    """A machine that a cloud bills from its start to its end, whatever runs on it.

    id, type, zone: as the provider names them. is_spot: whether it may be reclaimed at any time.
    started_at: when it booted, about when billing began. Both are None if unknown.
    """

    id: str
    type: str = ""
    zone: str = ""
    is_spot: bool | None = None
    started_at: datetime | None = None


class Usage(Contract):
    """What an attempt has used so far; heartbeats carry it, so a killed attempt's cost is known.

    boot: a nonce of the worker process; attempts of one session share it.
    sequence: the position of the job in that session, from 1.
    container_started_at, models_ready_at: when billing began, and when work could begin.
    machine: the machine of AWS or Google Cloud, which outlives the process and whose bill begins
        earlier; None elsewhere.
    peak_vram_bytes: the peak memory in use on the GPU, by all processes.
    audio_ms_done: transcribed speech, including `audio_ms_resumed` from the partial result of an
        earlier attempt.
    bought_ms: audio that an API billed, or may have billed, in this attempt, each request with the
        API's minimum; what an earlier attempt bought is not in it. None: the worker buys nothing,
        or did not report it.
    """

    worker: str
    place: WorkerPlace
    started_at: datetime
    ended_at: datetime
    audio_ms_done: Milliseconds = 0
    audio_ms_resumed: Milliseconds = 0
    timings: Timings = Timings()
    boot: str = ""
    sequence: int = Field(0, ge=0)
    container_started_at: datetime | None = None
    models_ready_at: datetime | None = None
    gpu: str = ""
    peak_vram_bytes: int = Field(0, ge=0)
    model_revision: str = ""
    machine: CloudMachine | None = None
    bought_ms: Milliseconds | None = None

    @property
    def run_seconds(self) -> float:
        """Seconds between the start of the lease and the last heartbeat."""
        return (self.ended_at - self.started_at).total_seconds()


class JobError(Contract):
    """Why an attempt failed. Permanent: the recording or the options are at fault; do not retry.

    reason: of a stop: cancelled, preempted (the provider takes the machine) or terminated.
    """

    code: ErrorCode
    permanent: bool
    message: str
    reason: str = ""


class Lease(Contract):
    """Who owns an attempt, and its state; only the owner rewrites it (docs/idempotency.md, rule 5).

    `buried` in `state` means: never started; the orchestrator wrote the lease before any worker.
    """

    nonce: str
    state: Literal["running", "done", "failed", "stopped", "buried"]
    usage: Usage | None = None
    error: JobError | None = None
