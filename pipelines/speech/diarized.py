"""diarized.json: what was said, by whom and when; all times in ms from the first sample."""

import json

from pydantic import BaseModel, ConfigDict, Field

from gpu_job.contract import Evidence, Turn

SCHEMA_VERSION = 2  # 2: words join; who puts blanks between all of them tears words apart


class NewerSchemaError(ValueError):
    """The file was written by a later version of Escriba than the one that reads it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class DiarizedWord(_Part):
    """One word with its speaker; `probability` is the model's, 0 to 1.

    `joins`: no blank stands between it and the word before, as in "levá" and "-lo"; of a segment's
    first word: between the segments. Version 1 had blanks everywhere.
    """

    start_ms: int
    end_ms: int
    text: str
    probability: float
    speaker: str
    joins: bool = False


class DiarizedSegment(_Part):
    """Words of one speaker that the model wrote as one piece."""

    start_ms: int
    end_ms: int
    speaker: str
    text: str
    words: tuple[DiarizedWord, ...]


class RemovedWords(_Part):
    """Words that the worker took out, why, and what was measured; `show --with-removed` has them.

    `reason`: the code of the warning: no_words, repetition, no_speech, boilerplate, disagreement.
    """

    start_ms: int
    end_ms: int
    text: str
    reason: str
    words: tuple[DiarizedWord, ...]
    evidence: Evidence | None = None


class SpeakerTotal(_Part):
    """How much one speaker said.

    `speaking_ms` is the time that the speaker's turns cover, overlaps of one speaker counted once;
    SPEAKER_UNKNOWN has no turns, and there it is the time that the words cover.
    """

    label: str
    speaking_ms: int
    words: int


class DiarizedTranscript(_Part):
    """The whole file. A minor change adds optional fields; `schema_version` rises with any other.

    Segments are in time order, and so are turns; both may overlap where people speak at once.
    `speech_ms` is the time in which any channel held speech. `model`: as its settings named it;
    `weights`: `owner/name@commit`, where that is known; `toy`: of the demo's model, so that most of
    the words were never said.
    """

    schema_version: int = SCHEMA_VERSION
    recording: str
    language: str
    language_probability: float
    model_revision: str
    audio_ms: int
    speech_ms: int
    speakers: tuple[SpeakerTotal, ...]
    segments: tuple[DiarizedSegment, ...]
    turns: tuple[Turn, ...]
    warnings: tuple[str, ...] = ()
    removed: tuple[RemovedWords, ...] = ()
    model: str = ""
    weights: str = ""
    toy: bool = False


class _Version(BaseModel):
    schema_version: int = Field(ge=1)


def dumps(transcript: DiarizedTranscript) -> str:
    """The file as JSON, one line for each segment and each turn, so that people can read it."""
    fields = transcript.model_dump(mode="json")
    lines = (f"{_json(name)}: {_lined(value)}" for name, value in fields.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def loads(text: str | bytes) -> DiarizedTranscript:
    """Read what `dumps` wrote, in this version or an earlier one; unknown fields are ignored.

    Raises:
        NewerSchemaError: For a file with a later schema_version.
        pydantic.ValidationError: For a text that is no diarized.json; it is a ValueError.
    """
    version = _Version.model_validate_json(text).schema_version
    if version > SCHEMA_VERSION:
        raise NewerSchemaError(
            f"this diarized.json has schema_version {version}, and this Escriba reads up to "
            f"{SCHEMA_VERSION}: upgrade Escriba, or run diarized_transcript again to rewrite it"
        )
    return DiarizedTranscript.model_validate_json(text)


def _lined(value: object) -> str:
    if not isinstance(value, list) or not value:
        return _json(value)
    return "[\n" + ",\n".join(_json(item) for item in value) + "\n]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
