"""What may be wished for, by a tenant or for one recording, and how a wrong wish is told."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from gpu_job.contract import Channels, Speakers
from pipelines.billing.policy import Limits
from pipelines.languages import check_language
from pipelines.track_names import check_track

_NESTED: dict[str, type[BaseModel]] = {"speakers": Speakers, "budget": Limits}


class Wishes(BaseModel):
    """What may differ by tenant or by recording; None: as the level above says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str | None = None
    detect: Literal["once", "along"] | None = None
    hotwords: str | None = None
    initial_prompt: str | None = None
    diarize: bool | None = None
    channels: Channels | None = None
    track: str | int | None = None
    speakers: Speakers | None = None
    preview: bool | None = None

    @field_validator("track")
    @classmethod
    def _known_track(cls, track: str | int | None) -> str | None:
        return track if track is None else check_track(track)

    @field_validator("language")
    @classmethod
    def _known_language(cls, code: str | None) -> str | None:
        return code if code is None else check_language(code)


def first_fault(error: ValidationError, kind: type[BaseModel]) -> str:
    """The key and what is wrong with it, in a sentence; `kind`: what was read."""
    fault = error.errors()[0]
    key = ".".join(map(str, fault["loc"])) or "the whole"
    match fault["type"]:
        case "extra_forbidden" | "invalid_key":
            holder = _NESTED.get(str(fault["loc"][0]), kind) if len(fault["loc"]) > 1 else kind
            why = f"it is not known; known are {', '.join(holder.model_fields)}"
        case "string_type":
            why = "it must be text: put it in quotes"
        case "bool_type" | "bool_parsing":
            why = "it must be true or false"
        case "tuple_type":
            why = "it must be a list, such as [a, b]"
        case "decimal_parsing" | "decimal_type" | "finite_number":
            why = (
                f"{fault['input']!r} is no amount of USD, such as 12.50; for no limit leave the "
                "line out"
            )
        case "model_type":
            why = "it must be a mapping of 'key: value' lines"
        case "json_invalid":
            why = "it is not valid JSON"
        case _:
            why = fault["msg"].removeprefix("Value error, ").replace("Input should", "it must")
    return f"{key!r}: {why.rstrip('.')}" + ("" if why.endswith("?") else ".")
