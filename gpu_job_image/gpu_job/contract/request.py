"""The request that a worker receives."""

from typing import Literal

from pydantic import Field

from .parts import CONTRACT_VERSION, Address, Contract, Milliseconds, SpeechRegion

Channels = Literal["mixed", "separate"]
Diarizer = Literal["light", "pyannote", "pyannote_ai", "none"]
Task = Literal["transcribe", "translate", "diarize"]


class Speakers(Contract):
    """The known number of speakers, or bounds on it."""

    exact: int | None = Field(None, ge=1)
    minimum: int | None = Field(None, ge=1)
    maximum: int | None = Field(None, ge=1)


class JobOptions(Contract):
    """Options that change the result; part of the job's identity.

    language: of all speech; None: detect it as `detect` says: `once` from windows spread over the
        recording, or `along` the recording, for each window, where the language changes.
    languages: candidate codes for detection; empty: all languages of the model.
    task: `diarize` finds the turns alone: the result has no segments, and only the options of
        speakers count (`model` is empty).
    word_times: False spreads the words evenly over their segment and skips the alignment.
    diarizer: 'light' (on onnxruntime), 'pyannote', 'pyannote_ai' (the service), or 'none'.
    diarization_model: for pyannote: a folder or a hub name; empty: community-1. For light: the
        revision of its networks and rules; empty: any that the worker has, even the toy. For
        pyannote_ai: the service's model, such as precision-2.
    speaker_embeddings: include one vector for each speaker in the result.
    track: the selected audio track of a file with several, such as '2'; empty: no selection.
        It identifies the source of the audio; workers ignore it.
    """

    model: str
    language: str | None = None
    detect: Literal["once", "along"] = "once"
    task: Task = "transcribe"
    beam_size: int = Field(1, ge=1)
    word_times: bool = True
    hotwords: str = ""
    initial_prompt: str = ""
    diarizer: Diarizer = "light"
    diarization_model: str = ""
    speaker_embeddings: bool = False
    speakers: Speakers = Speakers()
    channels: Channels = "mixed"
    languages: tuple[str, ...] = ()
    track: str = ""


class JobAddresses(Contract):
    """The objects that a worker reads and writes (docs/architecture.md, the job folder).

    `partial_write`: where this attempt saves its partial result; `partial_read`: the newest partial
    result of an earlier attempt. Without them, the next attempt starts from the beginning.
    """

    audio: Address
    result_read: Address
    result_create: Address
    claim_read: Address
    claim_create: Address
    claim_beat: Address
    partial_write: Address | None = None
    partial_read: Address | None = None


class JobLimits(Contract):
    """How long the orchestrator waits at most; a worker stops by itself after `run_seconds`."""

    queue_seconds: float | None = Field(None, gt=0)
    run_seconds: float | None = Field(None, gt=0)


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
    limits: JobLimits = JobLimits()

    @property
    def speech_ms(self) -> int:
        """Total speech of all channels, in milliseconds."""
        return sum(region.end_ms - region.start_ms for region in self.regions)


class Manifest(Contract):
    """Requests that one machine processes in this order."""

    version: int = CONTRACT_VERSION
    requests: tuple[JobRequest, ...]
