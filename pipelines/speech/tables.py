"""The transcript as a table: TSV as Whisper writes it, CSV for spreadsheets."""

import csv
import io
from collections.abc import Iterable

from pipelines.speech.clock import text_time
from pipelines.speech.diarized import DiarizedSegment

_BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for the machine's own code page
# a cell that begins so is a formula to some spreadsheet (OWASP, "CSV Injection")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
COLUMNS = ("start_ms", "end_ms", "start", "speaker", "text")


def to_tsv(segments: Iterable[DiarizedSegment]) -> str:
    """`start`, `end` (ms) and `text`, one line for each segment, as Whisper's own writer does."""
    rows = (f"{part.start_ms}\t{part.end_ms}\t{_line(part.text)}\n" for part in segments)
    return "start\tend\ttext\n" + "".join(rows)


def to_csv(segments: Iterable[DiarizedSegment], *, speakers: bool = True) -> str:
    """COLUMNS, one row for each segment (RFC 4180), beginning with a byte order mark.

    Times in whole ms mean the same in every country; `start` is for people. A text that a
    spreadsheet would take for a formula gets an apostrophe before it.
    """
    table = io.StringIO(newline="")
    table.write(_BYTE_ORDER_MARK)
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    for part in segments:
        who = _cell(part.speaker) if speakers else ""
        times = part.start_ms, part.end_ms, text_time(part.start_ms)
        writer.writerow((*times, who, _cell(part.text)))
    return table.getvalue()


def _cell(text: str) -> str:
    line = _line(text)
    return f"'{line}" if line.startswith(_FORMULA_STARTS) else line


def _line(text: str) -> str:
    """In one line, without control characters: a table has no other place for them."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
