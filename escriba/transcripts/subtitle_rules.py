"""The rules of subtitles: length of lines, reading speed, and duration.

The defaults follow Netflix's Timed Text Style Guides for adults; where these say nothing, they are
chosen.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

# Scripts with guides that count full-width characters; each fills two columns.
FULL_WIDTH: Final = frozenset({"japanese", "chinese", "korean"})

MOST_CHARS_PER_LINE: Final = 100
MOST_CHARS_PER_SECOND: Final = 100
FEWEST_CHARS_PER_LINE: Final = 10  # fewer hold neither a speaker label nor a long word


def whole_number(value: object) -> int:
    """The whole number, also of a text; ValueError for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    raise ValueError(f"{value!r} is not a whole number")


_Whole = BeforeValidator(whole_number)
Lines = Annotated[int, _Whole, Field(ge=1, le=3)]
ShortestMs = Annotated[int, _Whole, Field(ge=1, le=10_000)]
LongestMs = Annotated[int, _Whole, Field(ge=500, le=60_000)]
PauseMs = Annotated[int, _Whole, Field(ge=100, le=10_000)]
DelayMs = Annotated[int, _Whole, Field(ge=0, le=10_000)]


class ByScript(BaseModel):
    """A number for each script; `default` applies to every script that has no field.

    For Japanese, Chinese and Korean, full-width characters count as 1 and half-width ones as 0.5.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: int
    thai: int
    japanese: int
    chinese: int
    korean: int


class CharsPerLine(ByScript):
    """Characters per line."""

    default: int = 42
    thai: int = 35
    japanese: int = 13
    chinese: int = 16
    korean: int = 16


class CharsPerSecond(ByScript):
    """Characters read per second; Netflix allows 20 for English."""

    default: int = 17
    thai: int = 17
    japanese: int = 4
    chinese: int = 9
    korean: int = 12


def chars_per_line(value: object) -> dict[str, int]:
    """Characters per line by script, from `37`, `37,japanese=16` or a mapping.

    Raises:
        ValueError: the value has another form, or a number is out of range.
    """
    return _by_script(value, FEWEST_CHARS_PER_LINE, MOST_CHARS_PER_LINE)


def chars_per_second(value: object) -> dict[str, int]:
    """Characters per second by script; accepts and raises what `chars_per_line` does."""
    return _by_script(value, 1, MOST_CHARS_PER_SECOND)


def written(numbers: Mapping[str, int]) -> str:
    """The numbers in the form of a setting: `42,thai=35`."""
    parts = (str(n) if name == "default" else f"{name}={n}" for name, n in numbers.items())
    return ",".join(parts)


class SubtitleRules(BaseModel):
    """The rules of a recording's subtitles, named as the settings.

    subtitle_lines: Maximum number of lines per cue.
    subtitle_min_ms: Minimum duration of a cue, unless the next cue begins earlier.
    subtitle_max_ms: Maximum duration of a cue.
    subtitle_pause_ms: Silence that ends a cue; with more, words would appear before they are said.
    subtitle_delay_ms: Maximum delay of a cue so that the previous one can be read. The same bound
        holds for all cues, so none is later than the previous one may be or vanishes.

    Raises:
        pydantic.ValidationError: Two rules contradict each other.
    """

    model_config = ConfigDict(frozen=True)

    subtitle_chars_per_line: CharsPerLine = CharsPerLine()
    subtitle_chars_per_second: CharsPerSecond = CharsPerSecond()
    subtitle_lines: Lines = 2
    subtitle_min_ms: ShortestMs = 1_000  # Netflix asks for 5/6 s; slow readers need more
    subtitle_max_ms: LongestMs = 7_000  # Netflix, General Requirements, "Duration"
    subtitle_pause_ms: PauseMs = 1_000
    subtitle_delay_ms: DelayMs = 1_500

    @model_validator(mode="after")
    def _agree(self) -> Self:
        shortest, longest = self.subtitle_min_ms, self.subtitle_max_ms
        if shortest > longest:
            raise ValueError(
                f"subtitle_min_ms ({shortest}) is more than subtitle_max_ms ({longest})"
            )
        for script in ByScript.model_fields:
            line = getattr(self.subtitle_chars_per_line, script)
            speed = getattr(self.subtitle_chars_per_second, script)
            if line * 1000 > speed * longest:
                raise ValueError(
                    f"a full line of {line} characters ({script}) cannot be read within "
                    f"subtitle_max_ms ({longest}) at {speed} characters per second: change "
                    "subtitle_chars_per_line, subtitle_chars_per_second or subtitle_max_ms"
                )
        return self


def _by_script(text: object, least: int, most: int) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for name, value in _pairs(text):
        if name not in ByScript.model_fields:
            raise ValueError(
                f"{name!r} is not a script; the scripts are {', '.join(ByScript.model_fields)}"
            )
        if name in numbers:
            raise ValueError(f"there are two numbers for {name}")
        numbers[name] = whole_number(value)
        if not least <= numbers[name] <= most:
            raise ValueError(f"{numbers[name]} is out of range: {least} to {most}")
    return numbers


def _pairs(value: object) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(str(name), number) for name, number in value.items()]
    if not isinstance(value, str):
        return [("default", value)]
    parts = [part.strip() for part in value.split(",") if part.strip()]
    pairs = [part.rpartition("=") for part in parts]
    return [(name.strip().lower() or "default", number) for name, _, number in pairs]
