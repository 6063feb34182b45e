"""diarized.json: the words with their speakers and times, in ms from the first sample."""

import json

from pydantic import BaseModel, ConfigDict, Field

from escriba.errors import EscribaError
from gpu_job.contract import Evidence, Turn, WordTimes

SCHEMA_VERSION = 2  # 2: words can join; a reader that puts a blank between all words splits some


class NewerSchemaError(EscribaError, ValueError):
    """The file was written by a later version of Escriba."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class DiarizedWord(_Part):
    """One word with its speaker; `probability` is that of the model, 0 to 1.

    `joins`: there is no blank between the word and the previous one, as in "levá" and "-lo"; for
    the first word of a segment, between the segments. Version 1 had blanks between all words.
    """

    start_ms: int
    end_ms: int
    text: str
    probability: float
    speaker: str
    joins: bool = False


class DiarizedSegment(_Part):
    """Words of one speaker, from one segment of the model."""

    start_ms: int
    end_ms: int
    speaker: str
    text: str
    words: tuple[DiarizedWord, ...]


class RemovedWords(_Part):
    """Words that the hallucination filter removed, why, and what it measured.

    `show --with-removed` prints them. `reason` is the code of the warning: no_words, repetition,
    no_speech, boilerplate or disagreement.
    """

    start_ms: int
    end_ms: int
    text: str
    reason: str
    words: tuple[DiarizedWord, ...]
    evidence: Evidence | None = None


class SpeakerTotal(_Part):
    """How much one speaker said.

    `speaking_ms` is the time that the turns of the speaker cover; overlapping turns count once. For
    SPEAKER_UNKNOWN, which has no turns, it is the time that the words cover.
    """

    label: str
    speaking_ms: int
    words: int


class DiarizedTranscript(_Part):
    """The whole file. Optional fields may be added; any other change raises `schema_version`.

    Segments and turns are in time order; both may overlap where several people speak.
    `speech_ms`: time during which any channel holds speech. `model`: as in the settings.
    `weights`: `owner/name@commit`, if known. `toy`: the words come from the demo's toy model, and
    most of them were never said. `diarizer`: the diarizer that found the turns; `light-toy`
    cannot separate real voices. `word_times`: empty: measured by what wrote the words; `aligned`
    by a Whisper that was given the text, or `estimated`: the API that wrote them gave no times.
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
    diarizer: str = ""
    word_times: WordTimes = ""


class _Version(BaseModel):
    schema_version: int = Field(ge=1)


def dumps(transcript: DiarizedTranscript) -> str:
    """The file as JSON, with one line per segment and per turn for readability."""
    fields = transcript.model_dump(mode="json")
    lines = (f"{_json(name)}: {_lined(value)}" for name, value in fields.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def loads(text: str | bytes) -> DiarizedTranscript:
    """The transcript of a diarized.json of this or an earlier version; ignores unknown fields.

    Raises:
        NewerSchemaError: The file has a later schema_version.
        pydantic.ValidationError: The text is not a diarized.json; a ValueError.
    """
    version = _Version.model_validate_json(text).schema_version
    if version > SCHEMA_VERSION:
        raise NewerSchemaError(
            f"diarized.json has schema_version {version}, but this version of Escriba reads up to "
            f"{SCHEMA_VERSION}: upgrade Escriba, or run diarized_transcript again to rewrite it"
        )
    return DiarizedTranscript.model_validate_json(text)


def _lined(value: object) -> str:
    if not isinstance(value, list) or not value:
        return _json(value)
    return "[\n" + ",\n".join(_json(item) for item in value) + "\n]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
