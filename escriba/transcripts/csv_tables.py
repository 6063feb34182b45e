"""Transcripts as tables: TSV in Whisper's format, CSV for spreadsheets."""

import csv
import io
from collections.abc import Iterable

from escriba.text_for.spreadsheet import csv_text

from .diarized import DiarizedSegment
from .timestamps import text_time

_BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 in the code page of the machine
COLUMNS = ("start_ms", "end_ms", "start", "speaker", "text")


def to_tsv(segments: Iterable[DiarizedSegment]) -> str:
    """`start`, `end` (ms) and `text`, one line per segment, as in Whisper's own TSV files."""
    rows = (f"{part.start_ms}\t{part.end_ms}\t{_line(part.text)}\n" for part in segments)
    return "start\tend\ttext\n" + "".join(rows)


def to_csv(segments: Iterable[DiarizedSegment], *, speakers: bool = True) -> str:
    """COLUMNS, one row per segment (RFC 4180), starting with a byte order mark.

    Times in whole ms are the same in every locale; `start` is for people. An apostrophe precedes a
    text that a spreadsheet would take for a formula.
    """
    table = io.StringIO(newline="")
    table.write(_BYTE_ORDER_MARK)
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    for part in segments:
        speaker = _cell(part.speaker) if speakers else ""
        times = part.start_ms, part.end_ms, text_time(part.start_ms)
        writer.writerow((*times, speaker, _cell(part.text)))
    return table.getvalue()


def _cell(text: str) -> str:
    return csv_text(_line(text))


def _line(text: str) -> str:
    """The text in one line, without control characters."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
