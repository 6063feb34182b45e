import re
from typing import Self

from pydantic import Field, ValidationError, field_validator, model_validator

from escriba.transcripts.subtitle_rules import (
    CharsPerLine,
    CharsPerSecond,
    DelayMs,
    Lines,
    LongestMs,
    PauseMs,
    ShortestMs,
    SubtitleRules,
    chars_per_line,
    chars_per_second,
    written,
)

from .base import SettingsGroup


class SubtitleSettings(SettingsGroup):
    """The rules of subtitles where a tenant has none of its own."""

    subtitle_chars_per_line: str = Field(
        written(CharsPerLine().model_dump()),
        description="Characters per subtitle line: one number, then others by script, such as "
        "37,japanese=16. The scripts are thai, japanese, chinese and korean; the last three count "
        "full-width characters. A script that is left out keeps its default. 10 to 100. The "
        "defaults of the subtitle rules are Netflix's.",
    )
    subtitle_chars_per_second: str = Field(
        written(CharsPerSecond().model_dump()),
        description="Reading speed of subtitles in characters per second, written in the same "
        "way. 1 to 100.",
    )
    subtitle_lines: Lines = Field(2, description="Maximum number of lines per subtitle, 1 to 3.")
    subtitle_min_ms: ShortestMs = Field(
        1_000,
        description="Minimum duration of a subtitle (ms), unless the next one begins earlier.",
    )
    subtitle_max_ms: LongestMs = Field(7_000, description="Maximum duration of a subtitle (ms).")
    subtitle_pause_ms: PauseMs = Field(1_000, description="Silence that ends a subtitle (ms).")
    subtitle_delay_ms: DelayMs = Field(
        1_500,
        description="How late a subtitle may appear so that the previous one can be read (ms); 0: "
        "never late.",
    )

    @field_validator("subtitle_chars_per_line")
    @classmethod
    def _line_by_script(cls, text: str) -> str:
        return written(chars_per_line(text))

    @field_validator("subtitle_chars_per_second")
    @classmethod
    def _speed_by_script(cls, text: str) -> str:
        return written(chars_per_second(text))

    @model_validator(mode="after")
    def _rules_agree(self) -> Self:
        try:
            self.subtitle_rules  # noqa: B018  # it raises
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ValueError(_with_variables(reason)) from None
        return self

    @property
    def subtitle_rules(self) -> SubtitleRules:
        """The rules of subtitles where a tenant has none of its own."""
        values = {name: getattr(self, name) for name in SubtitleRules.model_fields}
        values["subtitle_chars_per_line"] = chars_per_line(self.subtitle_chars_per_line)
        values["subtitle_chars_per_second"] = chars_per_second(self.subtitle_chars_per_second)
        return SubtitleRules.model_validate(values)


def _with_variables(text: str) -> str:
    """The text with the names of environment variables in place of those of fields."""
    return re.sub(r"subtitle_\w+", lambda name: name[0].upper(), text)
