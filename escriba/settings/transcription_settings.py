from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, Field, SecretStr

from escriba.audio.track_names import check_track
from escriba.initial_prompt import check_prompt
from escriba.languages import check_candidates, check_language

from .base import HOUSE, SettingsGroup
from .field_types import AbsolutePath, HeaderKey, comma_separated


def _check_candidate_list(text: str) -> str:
    return ",".join(check_candidates(comma_separated(text)))


def _with_home_folder(model: str) -> str:
    return str(Path(model).expanduser()) if model.startswith("~") else model


class TranscriptionSettings(SettingsGroup):
    """What becomes words: the track, the language, the model and its decoding."""

    default_language: Annotated[str, AfterValidator(check_language)] = Field(
        "pt", description="Language code of the recordings, or `auto` to detect it."
    )
    languages: Annotated[str, AfterValidator(_check_candidate_list)] = Field(
        "",
        description="Comma-separated codes of the languages that detection may choose, such as "
        "pt,en,es. Empty: all. Set without DEFAULT_LANGUAGE, it turns detection on.",
    )
    language_detection: Literal["once", "along"] = Field(
        "once",
        description="`once`: one language for the whole recording. `along`: detected again "
        "throughout, for recordings in several languages.",
    )
    model: Annotated[str, AfterValidator(_with_home_folder)] = Field(
        "auto",
        validation_alias=AliasChoices("MODEL", "WHISPER_MODEL"),
        description="Speech model. `auto`: large-v3-turbo with CUDA, as on cloud workers, else "
        "small. Otherwise a model of the hub, a folder, or `demo` (a toy that knows 200 words).",
    )
    huggingface_token: HeaderKey = Field(
        SecretStr(""),
        description="Token for models that require you to accept their terms, such as pyannote's.",
    )
    models_folder: AbsolutePath = Field(
        HOUSE / ".cache" / "models",
        description="Folder into which embedded models are unpacked. "
        "Empty: .cache/models of the project.",
    )
    track: Annotated[str, AfterValidator(check_track)] = Field(
        "auto",
        description="Audio track of a file that has several. `auto`: the one in the wanted "
        "language, else the one that holds speech. A number: that track. `all`: every track "
        "becomes a channel.",
    )
    beam_size: int = Field(
        2, ge=1, le=10, description="Beam size of the decoder, 1 to 10; 1 is the fastest."
    )
    hotwords: str = Field("", description="Words to expect, such as names.")
    initial_prompt: Annotated[str, AfterValidator(check_prompt)] = Field(
        "", description="Text that sets the style of the transcript."
    )
    translate: bool = Field(
        default=False,
        description="Translate into English. The model large-v3-turbo cannot translate.",
    )

    @property
    def requested_language(self) -> str:
        """The default language, or 'auto' where only LANGUAGES is set: one of them is detected."""
        if self.languages and "default_language" not in self.model_fields_set:
            return "auto"
        return self.default_language

    @property
    def language_candidates(self) -> tuple[str, ...]:
        """The codes of LANGUAGES; empty: all."""
        return comma_separated(self.languages)

    @property
    def language(self) -> str | None:
        """The requested language; None to detect it."""
        return None if self.requested_language == "auto" else self.requested_language
