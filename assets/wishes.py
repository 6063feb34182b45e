"""What may be wished for, by a tenant or for one recording, and how a wrong wish is told."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from gpu_job.contract import Channels, Speakers
from pipelines.billing.policy import Limits
from pipelines.billing.statement.terms import Charge
from pipelines.billing.tags import PathTags
from pipelines.languages import check_candidates, check_language
from pipelines.looks import SubtitleSpeakers, check_formats, speakers_switch
from pipelines.prompts import check_prompt
from pipelines.speech_models import check_model
from pipelines.track_names import check_track

_NESTED: dict[str, type[BaseModel]] = {
    "speakers": Speakers,
    "budget": Limits,
    "charge": Charge,
    "paths": PathTags,
}

_OPTIONS = {"prompt", "min_speakers", "max_speakers"}


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
    formats: tuple[str, ...] | None = None
    subtitle_speakers: SubtitleSpeakers | None = None
    subtitle_highlight: bool | None = None
    languages: tuple[str, ...] | None = None
    translate: bool | None = None
    model: str | None = None

    @field_validator("track")
    @classmethod
    def _known_track(cls, track: str | int | None) -> str | None:
        return track if track is None else check_track(track)

    @field_validator("language")
    @classmethod
    def _known_language(cls, code: str | None) -> str | None:
        return code if code is None else check_language(code)

    @field_validator("formats", mode="before")
    @classmethod
    def _known_formats(cls, names: object) -> object:
        return names if names is None else check_formats(names)

    @field_validator("subtitle_speakers", mode="before")
    @classmethod
    def _switched(cls, value: object) -> object:
        return value if value is None else speakers_switch(value)

    @field_validator("languages", mode="before")
    @classmethod
    def _known_languages(cls, codes: object) -> object:
        """YAML's [pt, en], or pt,en; Norwegian is YAML's false where nobody quotes it."""
        if isinstance(codes, str):
            codes = [code.strip() for code in codes.split(",") if code.strip()]
        if not isinstance(codes, list | tuple):
            return codes
        return check_candidates("no" if code is False else str(code) for code in codes)

    @field_validator("model")
    @classmethod
    def _known_model(cls, name: str | None) -> str | None:
        return name if name is None else check_model(name)

    @field_validator("initial_prompt")
    @classmethod
    def _bearable(cls, text: str | None) -> str | None:
        return text if text is None else check_prompt(text)

    @model_validator(mode="before")
    @classmethod
    def _as_the_options_say(cls, told: object) -> object:
        """`prompt`, `min_speakers` and `max_speakers` are what `escriba add` calls them."""
        if not isinstance(told, dict) or not _OPTIONS & told.keys():
            return told
        wishes = {name: value for name, value in told.items() if name not in _OPTIONS}
        if "prompt" in told:
            wishes.setdefault("initial_prompt", told["prompt"])
        bounds = {"minimum": told.get("min_speakers"), "maximum": told.get("max_speakers")}
        given = {name: value for name, value in bounds.items() if value is not None}
        if given:
            speakers = wishes.get("speakers") or {}
            wishes["speakers"] = given | speakers if isinstance(speakers, dict) else speakers
        return wishes

    @model_validator(mode="after")
    def _no_contradiction(self) -> "Wishes":
        if self.speakers is not None:
            check_speakers(self.speakers)
        if self.languages and self.language not in {None, "auto"}:
            raise ValueError(
                f"languages are candidates for 'auto', and language is {self.language!r}: "
                "leave one of them out"
            )
        return self


def check_speakers(speakers: Speakers) -> None:
    """ValueError where the numbers contradict one another."""
    low, high = speakers.minimum, speakers.maximum
    if speakers.exact is not None and (low is not None or high is not None):
        raise ValueError("speakers: say how many speak (exact), or between how many, and not both")
    if low is not None and high is not None and low > high:
        raise ValueError(f"speakers: minimum {low} is more than maximum {high}")


def first_fault(error: ValidationError, kind: type[BaseModel]) -> str:
    """The key, if one is wrong by itself, and why, in a sentence; `kind`: what was read."""
    fault = error.errors()[0]
    key = ".".join(map(str, fault["loc"]))
    match fault["type"]:
        case "extra_forbidden" | "invalid_key":
            holder = _NESTED.get(str(fault["loc"][0]), kind) if len(fault["loc"]) > 1 else kind
            why = f"it is not known; known are {', '.join(holder.model_fields)}"
        case "string_type":
            why = "it must be text: put it in quotes"
        case "bool_type" | "bool_parsing":
            why = "it must be true or false"
        case "missing":
            why = "it is missing"
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
    place = f"{key!r}: " if key else ""
    return f"{place}{why.rstrip('.')}" + ("" if why.endswith("?") else ".")
