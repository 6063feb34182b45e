"""The record of a stage: written last, with a fingerprint of its inputs.

A stage with the same fingerprint and unchanged outputs is up to date and is not run again.
"""

import hashlib
import json
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from escriba.recording_warnings import RecordingWarning
from escriba.recordings import Recording
from escriba.stages import VERSIONS
from gpu_job.contract import Milliseconds, SpeechRegion, Timings
from gpu_job.contract.documents import MEDIUM
from resources.storage.base import Storage
from resources.storage.read_documents import DamagedError, delete_and_run, read_or_remake

_MOST_USD: Final = 1_000_000_000  # the cost tables store amounts as DECIMAL(18, 9)


def _check_usd(text: str) -> str:
    try:
        if 0 <= Decimal(text) < _MOST_USD:  # NaN is neither
            return text
    except InvalidOperation:
        pass
    raise ValueError("is not an amount in USD")


Usd = Annotated[str, AfterValidator(_check_usd)]  # exact, as a decimal number


class Facts(BaseModel):
    """Base of what a stage passes on to later stages."""

    model_config = ConfigDict(frozen=True)


AnyFacts = TypeVar("AnyFacts", bound=Facts)


class RawAudio(Facts):
    """The user's file as it was found."""

    etag: str
    sha256: str
    size_bytes: int = Field(ge=0)
    container: str
    codec: str
    channels: int
    sample_rate_hz: int
    declared_ms: int | None
    tenant: str
    audio_streams: int = 1  # also in records from before it was counted


class OptimizedAudioFacts(Facts):
    """The audio for transcription, with its speech regions.

    speech_dbfs: level of the speech as recorded; None: no sound, or made before it was measured.
    gain_db: amplification of quiet speech.
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
        """A sentence for the user; empty if the audio was not amplified."""
        if not self.gain_db:
            return ""
        return (
            f"The speech is quiet ({self.speech_dbfs:.0f} dBFS): it was amplified by "
            f"{self.gain_db:.0f} dB before transcription."
        )

    @property
    def speech_ms(self) -> int:
        """The length of all regions of all channels together."""
        return sum(region.end_ms - region.start_ms for region in self.regions)


class TranscriptFacts(Facts):
    """The job that gave the transcript; `job` is empty if there is no speech.

    speakers_job: the job that found the speakers alone, and where; empty: `job` found them, or
    nobody did. words_like: with it, the identity that a job for these words alone has: `job` may
    be an earlier one that gave the same words.
    """

    content_sha256: str
    job: str
    again: str = ""  # the run that forced it, if one did
    own_attempts: tuple[str, ...]
    audio_ms: Milliseconds
    speech_ms: Milliseconds
    language: str
    language_probability: float
    words: int
    timings: Timings | None = None  # None: no job, or written by an older version
    backend: str = ""
    route: str = ""  # why this backend was chosen, with the quotes of the others
    console: str = ""  # the provider's page of the job
    warnings: tuple[RecordingWarning, ...] = ()
    model: str = ""  # empty: no job, or written by an older version
    model_revision: str = ""
    weights: str = ""  # owner/name@commit, if the worker knew it
    toy: bool = False
    speakers_job: str = ""
    speakers_backend: str = ""
    speakers_route: str = ""
    speakers_console: str = ""
    words_like: str = ""


class DiarizedFacts(Facts):
    """The finished transcript in numbers."""

    speakers: int
    segments: int
    words: int
    language: str
    words_without_speaker: int | None = None  # None: written by an older version
    misplaced_times: int | None = None
    warnings: tuple[RecordingWarning, ...] = ()  # including those of the stages before


class CostFacts(Facts):
    """What a recording cost; the last record of a recording that is done."""

    source_etag: str
    attempt_ids: tuple[str, ...]
    cost_usd: Usd
    audio_seconds: float = Field(ge=0, allow_inf_nan=False)
    rtf: float | None
    warnings: tuple[RecordingWarning, ...] = ()  # all of the recording's; `status` reads them here
    model: str = ""  # empty: no speech, or written by an older version
    model_revision: str = ""
    toy: bool = False
    made_with: str | None = None  # digest of the options (outdated.py); None: see its job
    own_wishes: dict[str, object] = {}  # the recording's own overrides
    written_with: str | None = None  # digest of the render options; None: see its records
    speech_ms: Milliseconds | None = None
    audio_bytes: int = 0
    source_channels: int = 1
    audio_streams: int = 1
    words_with: str | None = None  # digest of the options of the words alone


class StageRecord(BaseModel):
    """`work/<tenant>/<recording>/stages/<asset>.json`."""

    stage: str
    fingerprint: str
    outputs: dict[str, str]  # key to ETag
    facts: dict[str, object]
    made_at: datetime
    seconds: float = Field(ge=0, allow_inf_nan=False)


def record_key(recording: Recording, stage: str) -> str:
    """The key of a stage's record."""
    return recording.work_key(f"stages/{stage}.json")


def read_record(storage: Storage, recording: Recording, stage: str) -> StageRecord | None:
    """The record of a stage; None if it is missing or damaged, so that the stage runs again."""
    record = read_or_remake(storage, record_key(recording, stage), StageRecord, MEDIUM)
    return record if record is None or record.stage == stage else None


def facts_of(record: StageRecord, recording: Recording, kind: type[AnyFacts]) -> AnyFacts:
    """The facts of a record.

    Raises:
        DamagedError: they are of another version, or somebody changed them.
    """
    try:
        return kind.model_validate(record.facts)
    except ValidationError as error:
        key = record_key(recording, record.stage)
        wrong = ", ".join(".".join(map(str, one["loc"])) for one in error.errors()[:3])
        reason = f"has wrong facts ({wrong})"
        raise DamagedError(key, reason, delete_and_run(key)) from None


def read_facts(
    storage: Storage, recording: Recording, stage: str, kind: type[AnyFacts]
) -> AnyFacts | None:
    """The facts of a stage's record; None if it is missing, damaged or of another version."""
    record = read_record(storage, recording, stage)
    try:
        return kind.model_validate(record.facts) if record else None
    except ValidationError:
        return None


def fingerprint(*parts: object) -> str:
    """A digest of everything that a stage's output depends on."""
    text = json.dumps(parts, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def stage_fingerprint(stage: str, *parts: object) -> str:
    """The fingerprint of a stage in its current version."""
    return fingerprint(stage, VERSIONS[stage], *parts)


def fingerprints_of_all_versions(stage: str, *parts: object) -> set[str]:
    """The fingerprints of a stage in its current version and in every earlier one."""
    return {fingerprint(stage, version, *parts) for version in range(1, VERSIONS[stage] + 1)}
