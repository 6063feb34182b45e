"""What a tenant or a single recording may override, and the errors of wrong overrides."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    field_validator,
    model_validator,
)

from escriba.audio.track_names import check_track
from escriba.billing.cost_tags import PathTags
from escriba.billing.permissions import SpendLimits
from escriba.initial_prompt import check_prompt
from escriba.languages import check_candidates, check_language
from escriba.model_names import check_model
from escriba.reports.statement.terms import ChargeTerms
from escriba.retention import TenantAges
from escriba.transcripts.render_options import SubtitleSpeakers, check_formats, speakers_switch
from escriba.transcripts.subtitle_rules import (
    DelayMs,
    Lines,
    LongestMs,
    PauseMs,
    ShortestMs,
    chars_per_line,
    chars_per_second,
)
from gpu_job.contract import Channels, Speakers

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_NESTED: dict[str, type[BaseModel]] = {
    "speakers": Speakers,
    "budget": SpendLimits,
    "charge": ChargeTerms,
    "paths": PathTags,
    "keep": TenantAges,
}

_OPTION_NAMES = {"prompt", "min_speakers", "max_speakers"}


_REASONS = {
    "string_type": "it must be text: put it in quotes",
    "bool_type": "it must be true or false",
    "bool_parsing": "it must be true or false",
    "missing": "it is missing",
    "tuple_type": "it must be a list, such as [a, b]",
    "model_type": "it must be a mapping of 'key: value' lines",
    "json_invalid": "it is not valid JSON",
}


class TranscriptionOverrides(BaseModel):
    """Options that may differ by tenant or recording; None: the level above decides."""

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
    subtitle_chars_per_line: Annotated[dict[str, int], BeforeValidator(chars_per_line)] | None = (
        None
    )
    subtitle_chars_per_second: (
        Annotated[dict[str, int], BeforeValidator(chars_per_second)] | None
    ) = None
    subtitle_lines: Lines | None = None
    subtitle_min_ms: ShortestMs | None = None
    subtitle_max_ms: LongestMs | None = None
    subtitle_pause_ms: PauseMs | None = None
    subtitle_delay_ms: DelayMs | None = None
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
    def _known_speakers_switch(cls, value: object) -> object:
        return value if value is None else speakers_switch(value)

    @field_validator("languages", mode="before")
    @classmethod
    def _known_languages(cls, codes: object) -> object:
        """Accepts [pt, en] and pt,en; YAML reads an unquoted `no` (Norwegian) as false."""
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
    def _valid_prompt(cls, text: str | None) -> str | None:
        return text if text is None else check_prompt(text)

    @model_validator(mode="before")
    @classmethod
    def _translate_option_names(cls, values: object) -> object:
        """Accepts `prompt`, `min_speakers` and `max_speakers`, the names in `escriba add`."""
        if not isinstance(values, dict) or not _OPTION_NAMES & values.keys():
            return values
        overrides = {name: value for name, value in values.items() if name not in _OPTION_NAMES}
        if "prompt" in values:
            overrides.setdefault("initial_prompt", values["prompt"])
        bounds = {"minimum": values.get("min_speakers"), "maximum": values.get("max_speakers")}
        given = {name: value for name, value in bounds.items() if value is not None}
        if given:
            speakers = overrides.get("speakers") or {}
            overrides["speakers"] = given | speakers if isinstance(speakers, dict) else speakers
        return overrides

    @model_validator(mode="after")
    def _no_contradiction(self) -> "TranscriptionOverrides":
        if self.speakers is not None:
            check_speakers(self.speakers)
        if self.languages and self.language not in {None, "auto"}:
            raise ValueError(
                f"languages lists candidates for 'auto', but language is {self.language!r}: "
                "remove one of the two"
            )
        return self


def check_speakers(speakers: Speakers) -> None:
    """Raises ValueError if the numbers contradict each other."""
    low, high = speakers.minimum, speakers.maximum
    if speakers.exact is not None and (low is not None or high is not None):
        raise ValueError("speakers: set either exact, or minimum and maximum, not both")
    if low is not None and high is not None and low > high:
        raise ValueError(f"speakers: minimum {low} is greater than maximum {high}")


def first_fault(error: ValidationError, model: type[BaseModel]) -> str:
    """One sentence: the key that is wrong, if a single one is, and why; `model`: what was read."""
    fault = error.errors()[0]
    key = ".".join(map(str, fault["loc"]))
    reason = _reason(fault, model)
    place = f"{key!r}: " if key else ""
    return f"{place}{reason.rstrip('.')}" + ("" if reason.endswith("?") else ".")


def _reason(fault: "ErrorDetails", model: type[BaseModel]) -> str:
    match fault["type"]:
        case "extra_forbidden" | "invalid_key":
            holder = _NESTED.get(str(fault["loc"][0]), model) if len(fault["loc"]) > 1 else model
            return f"it is not a known key; known are {', '.join(holder.model_fields)}"
        case "decimal_parsing" | "decimal_type" | "finite_number":
            return (
                f"{fault['input']!r} is not an amount in USD such as 12.50; to set no limit, "
                "remove the line"
            )
        case known if known in _REASONS:
            return _REASONS[known]
    return fault["msg"].removeprefix("Value error, ").replace("Input should", "it must")
