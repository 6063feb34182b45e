"""Cues as SRT and WebVTT."""

from collections.abc import Iterable

from pipelines.speech.clock import srt_time, vtt_time
from pipelines.speech.cues import Cue

# SRT has no escapes, and players take <…>, {…} and \N for markup: look-alikes stand for them.
_SRT_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")", "\\": "∖"})
_VTT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def to_srt(cues: Iterable[Cue]) -> str:
    """SubRip, for UTF-8: words only, since the format knows no speakers.

    The signs < > { } and backslash become look-alikes, and so `-->` is harmless too.
    """
    return "".join(
        f"{number}\n{srt_time(cue.start_ms)} --> {srt_time(cue.end_ms)}\n"
        + "".join(f"{line.translate(_SRT_LOOKALIKES)}\n" for line in cue.lines)
        + "\n"
        for number, cue in enumerate(cues, start=1)
    )


def to_vtt(cues: Iterable[Cue]) -> str:
    """WebVTT, for UTF-8, with the speaker as the voice of each cue (W3C WebVTT, section 4.2.2)."""
    return "WEBVTT\n" + "".join(
        f"\n{vtt_time(cue.start_ms)} --> {vtt_time(cue.end_ms)}\n"
        f"<v {_voice(cue.speaker)}>{_escaped(cue)}</v>\n"
        for cue in cues
    )


def _voice(speaker: str) -> str:
    return " ".join(speaker.split()).translate(_VTT_ESCAPES)


def _escaped(cue: Cue) -> str:
    return "\n".join(line.translate(_VTT_ESCAPES) for line in cue.lines)
