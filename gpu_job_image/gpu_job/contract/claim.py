"""The owner's sign on an attempt, what the attempt used, and how it ended."""

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
    "internal",
]


class Timings(Contract):
    """Where the seconds of an attempt went. Speech and speakers may run at the same time."""

    download_seconds: float = 0
    decode_seconds: float = 0
    load_seconds: float = 0
    transcribe_seconds: float = 0
    diarize_seconds: float = 0
    upload_seconds: float = 0


class Place(Contract):
    """Where a process lives, so that its death can be known at once on the same machine."""

    boot_id: str
    pid_namespace: str
    pid: int
    started: str  # of the process, in a unit of the platform's own: equality is all it serves


class Usage(Contract):
    """What an attempt used so far; beats carry it, so that a killed attempt's cost is known.

    boot: a nonce of the worker's process: attempts of one session share it.
    sequence: the how manieth job of that session, from 1.
    container_started_at, models_ready_at: when the machine began to cost, and could begin.
    peak_vram_bytes: the most that was in use on the card, by whomever.
    audio_ms_done: speech of which the words are known; of it `audio_ms_resumed` came from the
        partial result of an earlier attempt.
    """

    worker: str
    place: Place
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

    @property
    def run_seconds(self) -> float:
        """Seconds between the claim and the last sign of life."""
        return (self.ended_at - self.started_at).total_seconds()


class JobError(Contract):
    """Why an attempt failed. Permanent: the file's fault, no other attempt would help."""

    code: ErrorCode
    permanent: bool
    message: str


class Claim(Contract):
    """The owner's sign on an attempt; only its creator writes it again (paid once, rule 5)."""

    nonce: str
    state: Literal["running", "done", "failed", "stopped", "buried"]
    usage: Usage | None = None
    error: JobError | None = None
