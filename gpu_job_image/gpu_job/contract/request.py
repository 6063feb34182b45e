"""What is asked of a worker."""

from typing import Literal

from pydantic import Field

from .parts import CONTRACT_VERSION, Address, Contract, Milliseconds, SpeechRegion

Channels = Literal["mixed", "separate"]
Task = Literal["transcribe", "translate"]


class Speakers(Contract):
    """How many speakers there are, as far as somebody knows."""

    exact: int | None = Field(None, ge=1)
    minimum: int | None = Field(None, ge=1)
    maximum: int | None = Field(None, ge=1)


class JobOptions(Contract):
    """What changes the result; part of the job's identity.

    language: of all speech; None is detected, by `detect`: once, from windows spread over the
        recording, or anew along the way, for recordings in which the language changes.
    languages: the codes among which it is detected; empty: all that the model knows.
    word_times: False spreads the words evenly over their segment and saves the alignment.
    diarizer: 'light' (on onnxruntime), 'pyannote', or 'none'.
    diarization_model: of pyannote: a folder or a hub name; empty: community-1. Of light: the
        revision of its voices; empty: whichever the worker has, and it may be the toy.
    speaker_embeddings: one vector for each speaker in the result.
    track: which sound of a file with several was asked for, such as '2'; empty: none in particular.
        It names what the audio was made of; a worker has nothing to do with it.
    """

    model: str
    language: str | None = None
    detect: Literal["once", "along"] = "once"
    task: Task = "transcribe"
    beam_size: int = Field(1, ge=1)
    word_times: bool = True
    hotwords: str = ""
    initial_prompt: str = ""
    diarizer: Literal["light", "pyannote", "none"] = "light"
    diarization_model: str = ""
    speaker_embeddings: bool = False
    speakers: Speakers = Speakers()
    channels: Channels = "mixed"
    languages: tuple[str, ...] = ()
    track: str = ""


class JobAddresses(Contract):
    """Where a worker reads and writes (docs/architecture.md, the job folder).

    `partial_write`: what this attempt has done so far; `partial_read`: the newest of an earlier
    attempt. Either may be missing: then a killed attempt is begun again from its start.
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
    """What the orchestrator waits for, at most; a worker stops by itself after `run_seconds`."""

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
        """All speech in it, of all channels together."""
        return sum(region.end_ms - region.start_ms for region in self.regions)


class Manifest(Contract):
    """Requests that one machine works through, in this order."""

    version: int = CONTRACT_VERSION
    requests: tuple[JobRequest, ...]
