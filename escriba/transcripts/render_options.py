"""Which files a recording gets, and how its subtitles are rendered.

All files derive from diarized.json, on any machine: changing these options never needs a new job.
"""

from collections.abc import Iterable
from typing import Final, Literal

from .subtitle_rules import SubtitleRules

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

DIARIZED_FILE: Final = FORMATS["json"]  # the source of the other files

SubtitleSpeakers = Literal["none", "changes"]
_SWITCHES = {"true": "changes", "yes": "changes", "on": "changes"}
_SWITCHES |= {"false": "none", "no": "none", "off": "none"}


class RenderOptions(SubtitleRules):
    """How the files of a recording are rendered, including the rules of its subtitles.

    formats: Files to write. json is always written, since the others are made from it.
    subtitle_speakers: 'changes': SRT names the speaker at each change of speaker. WebVTT always
        has the speaker as the voice of each cue.
    subtitle_highlight: WebVTT has the time of each word, for players that highlight it.
    """

    formats: tuple[str, ...] = tuple(FORMATS)
    subtitle_speakers: SubtitleSpeakers = "none"
    subtitle_highlight: bool = False


def check_formats(names: object) -> tuple[str, ...]:
    """The formats of a list or of comma-separated text, in the order of FORMATS and with json.

    Raises:
        ValueError: a format is unknown.
    """
    values = names.split(",") if isinstance(names, str) else names
    if not isinstance(values, Iterable):
        raise ValueError("it must be a list, such as [txt, srt]")  # noqa: TRY004  # pydantic's way
    requested = {str(name).strip().lower() for name in values} - {""}
    if "all" in requested:
        return tuple(FORMATS)
    for name in sorted(requested - set(FORMATS)):
        raise ValueError(f"{name!r} is not a format; the formats are {', '.join(FORMATS)}")
    return tuple(name for name in FORMATS if name in requested | {"json"})


def speakers_switch(value: object) -> object:
    """The value of SUBTITLE_SPEAKERS that `true`, `no` … mean; any other value as it is."""
    return _SWITCHES.get(str(value).strip().lower(), value)
