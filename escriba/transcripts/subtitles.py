"""Cues as SRT and WebVTT files."""

from collections.abc import Iterable

from .cues import Cue
from .timestamps import srt_time, vtt_time

# SRT has no escapes, and players parse <…>, {…} and \N as markup: look-alikes replace them.
_SRT_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")", "\\": "∖"})
_VTT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def to_srt(cues: Iterable[Cue]) -> str:
    """SubRip text for UTF-8. The format has no speakers; `make_cues` can label them in the text.

    The characters < > { } and backslash become look-alikes, which makes `-->` harmless too.
    """
    return "".join(
        f"{number}\n{srt_time(cue.start_ms)} --> {srt_time(cue.end_ms)}\n"
        + "".join(f"{line.translate(_SRT_LOOKALIKES)}\n" for line in cue.lines)
        + "\n"
        for number, cue in enumerate(cues, start=1)
    )


def to_vtt(cues: Iterable[Cue], *, voices: bool = True, highlight: bool = False) -> str:
    """WebVTT text for UTF-8, with the speaker as the voice of each cue (WebVTT, section 4.2.2).

    Args:
        cues: Cues from `make_cues`.
        voices: False omits the speakers, for transcripts without diarization.
        highlight: Adds the time of each word (section 4.2.2, cue timestamps), in a span that
            `::cue(:past)` and `::cue(:future)` can style.
    """
    return "WEBVTT\n" + "".join(
        f"\n{vtt_time(cue.start_ms)} --> {vtt_time(cue.end_ms)}\n"
        f"{_voiced(cue, _timed(cue) if highlight else _escaped(cue), voices=voices)}\n"
        for cue in cues
    )


def _voiced(cue: Cue, text: str, *, voices: bool) -> str:
    voice = " ".join(cue.speaker.split()).translate(_VTT_ESCAPES)
    return f"<v {voice}>{text}</v>" if voices else text


def _escaped(cue: Cue) -> str:
    return "\n".join(line.translate(_VTT_ESCAPES) for line in cue.lines)


def _timed(cue: Cue) -> str:
    """The lines with a timestamp before each word; timestamps rise and lie within the cue."""
    lines, last_ms = [], cue.start_ms
    for words in cue.words:
        line = ""
        for word in words:
            mark = ""
            if last_ms < word.start_ms < cue.end_ms:
                mark, last_ms = f"<{vtt_time(word.start_ms)}>", word.start_ms
            blank = "" if word.joins or not line else " "
            line += f"{blank}{mark}<c>{word.text.translate(_VTT_ESCAPES)}</c>"
        lines.append(line)
    return "\n".join(lines)
