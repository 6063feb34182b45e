from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from escriba.backend_names import BACKENDS

from .base import SettingsGroup


def _check_backend(name: str) -> str:
    if name and name not in BACKENDS:
        raise ValueError(
            f"this version has no backend {name!r}; it has {', '.join(BACKENDS)}, or empty"
        )
    return name


class SpeakerSettings(SettingsGroup):
    """How speakers are found, and how many."""

    diarizer: Literal["light", "pyannote", "none"] = Field(
        "light",
        description="How speakers are found: light (without torch), pyannote, or none.",
    )
    diarization_model: str = Field(
        "",
        description="Model of DIARIZER=pyannote: a folder or a name on the hub. "
        "Empty: speaker-diarization-community-1.",
    )
    speakers_backend: Annotated[str, AfterValidator(_check_backend)] = Field(
        "",
        description="Preferred backend of a job of its own that finds the speakers beside the job "
        "of the words: local, runpod or pyannote_ai. Empty: one job does both, which decodes the "
        "audio once.",
    )
    speaker_embeddings: bool = Field(
        default=False,
        description="Store an embedding of each speaker's voice in transcript.json.",
    )
    channels: Literal["mixed", "separate"] = Field(
        "mixed", description="`separate`: each channel of a stereo file is one speaker."
    )
    min_speakers: int = Field(0, ge=0, description="Minimum number of speakers; 0: unknown.")
    max_speakers: int = Field(0, ge=0, description="Maximum number of speakers; 0: unknown.")

    @model_validator(mode="after")
    def _speakers_fit(self) -> Self:
        if 0 < self.max_speakers < self.min_speakers:
            raise ValueError(
                f"MIN_SPEAKERS={self.min_speakers} is more than MAX_SPEAKERS={self.max_speakers}"
            )
        if self.speakers_backend and self.diarizer == "none":
            raise ValueError(
                f"SPEAKERS_BACKEND={self.speakers_backend} finds speakers, and DIARIZER=none does "
                "not: remove one of the two"
            )
        return self
