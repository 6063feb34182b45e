"""The job contract: what the orchestrator asks of a worker, and what it gets back.

All times within a recording are integer milliseconds from its first sample. Wall-clock times are
aware UTC. A minor change adds optional fields; CONTRACT_VERSION rises only when a worker of the
old version would do the wrong thing, and raising it never makes old results be bought again.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

CONTRACT_VERSION = 1

Milliseconds = Annotated[int, Field(ge=0)]
Channels = Literal["mixed", "separate"]
Task = Literal["transcribe", "translate"]


class Contract(BaseModel):
    """Base of every part of the contract: frozen, and open to fields of a later minor version."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Address(Contract):
    """One thing a worker may do with one object: it sends exactly this and knows no cloud.

    `url` is https:// (presigned), http:// on loopback, or file:// for the local backend. With
    `If-None-Match: *` among the headers of a PUT, the object is created, never replaced.
    `drafts`, for file:// alone: a folder on the same disk, swept by the store, where an object
    lies until it is whole; a worker that is killed leaves no half object among the others.
    """

    method: Literal["GET", "PUT"]
    url: str = Field(repr=False)
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    drafts: str = ""


class SpeechRegion(Contract):
    """A stretch of one channel that holds speech."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    channel: int = 0


class Speakers(Contract):
    """How many speakers there are, as far as somebody knows."""

    exact: int | None = Field(None, ge=1)
    minimum: int | None = Field(None, ge=1)
    maximum: int | None = Field(None, ge=1)


class JobOptions(Contract):
    """What changes the result; part of the job's identity."""

    model: str
    language: str | None = None  # None: detected
    task: Task = "transcribe"
    beam_size: int = Field(1, ge=1)
    hotwords: str = ""
    initial_prompt: str = ""
    diarizer: Literal["light", "none"] = "light"
    speakers: Speakers = Speakers()
    channels: Channels = "mixed"


class JobAddresses(Contract):
    """Where a worker reads and writes (docs/architecture.md, the job folder)."""

    audio: Address
    result_read: Address
    result_create: Address
    claim_read: Address
    claim_create: Address
    claim_beat: Address


class JobRequest(Contract):
    """One attempt at one job."""

    version: int = CONTRACT_VERSION
    job: str
    attempt: int = Field(ge=1)
    nonce: str
    options: JobOptions
    regions: tuple[SpeechRegion, ...]
    audio_ms: Milliseconds
    audio_sha256: str
    audio_channels: int = Field(1, ge=1)
    model_revision: str
    addresses: JobAddresses


class Word(Contract):
    """One word as the model heard it; `text` has no surrounding blanks."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    text: str
    probability: float
    channel: int = 0


class Segment(Contract):
    """A stretch of speech that the model wrote as one piece, in time order of its words."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    words: tuple[Word, ...]
    channel: int = 0

    @property
    def text(self) -> str:
        """The words, joined by single blanks."""
        return " ".join(word.text for word in self.words)


class Turn(Contract):
    """Somebody speaks; turns of different speakers may overlap."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    speaker: str


class Timings(Contract):
    """Where the seconds of an attempt went."""

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
    """What an attempt used so far; beats carry it, so that a killed attempt's cost is known."""

    worker: str
    place: Place
    started_at: datetime
    ended_at: datetime
    audio_ms_done: Milliseconds = 0
    timings: Timings = Timings()

    @property
    def run_seconds(self) -> float:
        """Seconds between the claim and the last sign of life."""
        return (self.ended_at - self.started_at).total_seconds()


class JobError(Contract):
    """Why an attempt failed. Permanent: the file's fault, no other attempt would help."""

    code: Literal["audio_unreadable", "audio_changed", "model_missing", "internal"]
    permanent: bool
    message: str


class Claim(Contract):
    """The owner's sign on an attempt; only its creator writes it again (paid once, rule 5)."""

    nonce: str
    state: Literal["running", "done", "failed", "stopped", "buried"]
    usage: Usage | None = None
    error: JobError | None = None


class JobResult(Contract):
    """What was said, by whom and when."""

    version: int = CONTRACT_VERSION
    job: str
    attempt: int
    nonce: str
    language: str
    language_probability: float
    model_revision: str
    segments: tuple[Segment, ...]
    turns: tuple[Turn, ...]
    usage: Usage
    warnings: tuple[str, ...] = ()
