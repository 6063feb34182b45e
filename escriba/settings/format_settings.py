from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from escriba.transcripts.render_options import SubtitleSpeakers, check_formats, speakers_switch

from .base import SettingsGroup


def _check_format_list(text: str) -> str:
    return ",".join(check_formats(text))


class FormatSettings(SettingsGroup):
    """Which files a transcript gets, and what they hold."""

    formats: Annotated[str, AfterValidator(_check_format_list)] = Field(
        "all",
        description="Comma-separated formats of each transcript: txt, srt, vtt, tsv, csv, docx, "
        "rttm, or `all`; json is always written. `escriba show --format` can produce any of them.",
    )
    subtitle_speakers: Annotated[SubtitleSpeakers, BeforeValidator(speakers_switch)] = Field(
        "none",
        description="`changes`: SRT names the speaker at each change of speaker. WebVTT always "
        "has the speakers.",
    )
    subtitle_highlight: bool = Field(
        default=False,
        description="Write the time of each word into WebVTT, for players that highlight it.",
    )
