"""What a stage leaves behind: its record, written last, with a fingerprint of what it came from.

Same fingerprint and all outputs there, unchanged: the stage stands and is not done again.
"""

import hashlib
import json
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from gpu_job.contract import Milliseconds, SpeechRegion, Timings
from pipelines.recordings import Recording
from pipelines.speech.recording_warnings import RecordingWarning
from resources.storage.base import Storage

from .names import VERSIONS


class Facts(BaseModel):
    """Base of what later stages need to know."""

    model_config = ConfigDict(frozen=True)


class RawAudio(Facts):
    """The user's file as it was found."""

    etag: str
    sha256: str
    size_bytes: int
    container: str
    codec: str
    channels: int
    sample_rate_hz: int
    declared_ms: int | None
    tenant: str
    audio_streams: int = 1  # also where it was not counted yet


class OptimizedAudioFacts(Facts):
    """The audio that the transcription hears, and where in it somebody speaks.

    speech_dbfs: how loud the speech was when it was recorded; None: without sound, or made before
        it was measured. gain_db: by how much quiet speech was made louder.
    """

    content_sha256: str
    audio_key: str
    audio_sha256: str
    format: str
    size_bytes: int
    audio_ms: Milliseconds
    channels: int
    regions: tuple[SpeechRegion, ...]
    warnings: tuple[RecordingWarning, ...] = ()
    speech_dbfs: float | None = None
    gain_db: float = 0.0

    @property
    def loudness(self) -> str:
        """A sentence for people; empty where the sound was left as it is."""
        if not self.gain_db:
            return ""
        return (
            f"The speech is quiet ({self.speech_dbfs:.0f} dBFS): it was made "
            f"{self.gain_db:.0f} dB louder before it was heard."
        )

    @property
    def speech_ms(self) -> int:
        """The sum of all regions, of all channels."""
        return sum(region.end_ms - region.start_ms for region in self.regions)


class TranscriptFacts(Facts):
    """The job that gave the transcript; `job` is empty where nobody speaks."""

    content_sha256: str
    job: str
    again: str = ""  # the run that forced it, where one did
    own_attempts: tuple[str, ...]
    audio_ms: Milliseconds
    speech_ms: Milliseconds
    language: str
    language_probability: float
    words: int
    timings: Timings | None = None  # None: no job, or written before they were kept
    backend: str = ""
    route: str = ""  # why it went there, with what the others would have cost
    console: str = ""  # its provider's page of the job
    warnings: tuple[RecordingWarning, ...] = ()
    model: str = ""  # empty: no job, or written before it was kept
    model_revision: str = ""
    weights: str = ""  # owner/name@commit, where the worker knew it
    toy: bool = False


class DiarizedFacts(Facts):
    """The finished transcript in numbers."""

    speakers: int
    segments: int
    words: int
    language: str
    words_without_speaker: int | None = None  # None: written before it was counted
    misplaced_times: int | None = None
    warnings: tuple[RecordingWarning, ...] = ()  # with those of the stages before


class CostFacts(Facts):
    """What a recording cost; the last record of a recording that is done."""

    source_etag: str
    attempt_ids: tuple[str, ...]
    cost_usd: str
    audio_seconds: float
    rtf: float | None
    warnings: tuple[RecordingWarning, ...] = ()  # all of the recording: here `status` reads them
    model: str = ""  # empty: nobody speaks, or written before it was kept
    model_revision: str = ""
    toy: bool = False
    made_with: str | None = None  # digest of the options (outdated.py); None: its job alone tells
    own_wishes: dict[str, object] = {}  # the recording's own part of them
    speech_ms: Milliseconds | None = None
    audio_bytes: int = 0
    source_channels: int = 1
    audio_streams: int = 1


class StageRecord(BaseModel):
    """`work/<tenant>/<recording>/stages/<asset>.json`."""

    stage: str
    fingerprint: str
    outputs: dict[str, str]  # key to ETag
    facts: dict[str, object]
    made_at: datetime
    seconds: float


def record_key(recording: Recording, stage: str) -> str:
    """Where a stage's record lies."""
    return recording.work_key(f"stages/{stage}.json")


def read_record(storage: Storage, recording: Recording, stage: str) -> StageRecord | None:
    """What a stage left behind; a damaged record is none, so that the stage is done again."""
    body = storage.read(record_key(recording, stage))
    try:
        return StageRecord.model_validate_json(body) if body else None
    except ValidationError:
        return None


def fingerprint(*parts: object) -> str:
    """A digest of what a stage's output depends on."""
    text = json.dumps(parts, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def stage_fingerprint(stage: str, *parts: object) -> str:
    """The same, of a stage in its present version."""
    return fingerprint(stage, VERSIONS[stage], *parts)
