"""Which files a recording gets, and how its subtitles look.

All of them are derived from diarized.json, on any computer: another look is never another job.
"""

from collections.abc import Iterable
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

# format -> file below transcripts/<tenant>/<recording>/
FORMATS: Final = {
    "txt": "transcript.txt",
    "srt": "transcript.srt",
    "vtt": "transcript.vtt",
    "tsv": "transcript.tsv",
    "csv": "transcript.csv",
    "docx": "transcript.docx",
    "rttm": "turns.rttm",
    "json": "diarized.json",
}

SubtitleSpeakers = Literal["none", "changes"]
_SWITCHES = {"true": "changes", "yes": "changes", "on": "changes"}
_SWITCHES |= {"false": "none", "no": "none", "off": "none"}


class Look(BaseModel):
    """How the files of a recording look.

    formats: which are written; json always is, for the others are made from it.
    subtitle_speakers: 'changes': SRT names the speaker wherever another one begins to speak.
        WebVTT has the speaker as the voice of each cue in any case.
    subtitle_highlight: WebVTT has the time of each word, for players that light it up.
    """

    model_config = ConfigDict(frozen=True)

    formats: tuple[str, ...] = tuple(FORMATS)
    subtitle_speakers: SubtitleSpeakers = "none"
    subtitle_highlight: bool = False


def check_formats(names: object) -> tuple[str, ...]:
    """The formats of a list, or of a text with commas, in the order of FORMATS, json among them.

    Raises:
        ValueError: one is not known.
    """
    told = names.split(",") if isinstance(names, str) else names
    if not isinstance(told, Iterable):
        raise ValueError("it must be a list, such as [txt, srt]")  # noqa: TRY004  # pydantic's way
    asked = {str(name).strip().lower() for name in told} - {""}
    if "all" in asked:
        return tuple(FORMATS)
    for name in sorted(asked - set(FORMATS)):
        raise ValueError(f"{name!r} is no format; there are {', '.join(FORMATS)}")
    return tuple(name for name in FORMATS if name in asked | {"json"})


def speakers_switch(value: object) -> object:
    """`true` and `false` for SUBTITLE_SPEAKERS, as people write them; else what was written."""
    return _SWITCHES.get(str(value).strip().lower(), value)
