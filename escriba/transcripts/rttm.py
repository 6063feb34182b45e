"""Speaker turns as RTTM, the format of the diarization benchmarks.

Each line has ten fields, separated by blanks (NIST, RT-09 evaluation plan, appendix A):
`SPEAKER <file> <channel> <onset> <duration> <NA> <NA> <speaker> <NA> <NA>`. A file name or a label
cannot contain a blank, so blanks, control characters and `%` are percent-encoded.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from urllib.parse import quote, unquote

from escriba.errors import EscribaError
from gpu_job.contract import Turn

from .timestamps import seconds_text

_FIELDS = 10
_ENCODED_CHARACTERS = re.compile(r"[\s\x00-\x1f\x7f-\x9f%]")
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


class RttmError(EscribaError, ValueError):
    """A line is not RTTM; the message has its line number."""


def to_rttm(recording: str, turns: Iterable[Turn]) -> str:
    """One line per turn, in the order given; turns of length 0 are left out.

    Raises:
        ValueError: The name of the recording or a label is empty.
    """
    name = _encoded(recording, "recording")
    return "".join(
        f"SPEAKER {name} 1 {seconds_text(turn.start_ms)}"
        f" {seconds_text(turn.end_ms - turn.start_ms)}"
        f" <NA> <NA> {_encoded(turn.speaker, 'speaker')} <NA> <NA>\n"
        for turn in turns
        if turn.end_ms > turn.start_ms
    )


def parse_rttm(text: str) -> dict[str, list[Turn]]:
    """The turns of each recording, in the order of the lines; times rounded to ms.

    Blank lines and `;;` comments are skipped.

    Raises:
        RttmError: A line is not a SPEAKER line of ten fields with a positive duration.
    """
    turns: dict[str, list[Turn]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.startswith(";;"):
            recording, turn = _parsed(line, number)
            turns.setdefault(recording, []).append(turn)
    return turns


def _encoded(text: str, what: str) -> str:
    if not text:
        raise ValueError(f"the name of the {what} is empty, which RTTM does not allow")
    return _ENCODED_CHARACTERS.sub(lambda found: quote(found[0], safe=""), text)


def _parsed(line: str, number: int) -> tuple[str, Turn]:
    fields = line.split()
    if len(fields) != _FIELDS or fields[0] != "SPEAKER":
        raise RttmError(f"line {number}: expected SPEAKER and nine more fields, got {line!r}")
    start_ms = _milliseconds(fields[3], "onset", number)
    duration_ms = _milliseconds(fields[4], "duration", number)
    if duration_ms == 0:
        raise RttmError(f"line {number}: the duration {fields[4]} s is less than half a ms")
    turn = Turn(start_ms=start_ms, end_ms=start_ms + duration_ms, speaker=unquote(fields[7]))
    return unquote(fields[1]), turn


def _milliseconds(field: str, what: str, number: int) -> int:
    if not _SECONDS.fullmatch(field):
        raise RttmError(f"line {number}: the {what} is not a number of seconds: {field!r}")
    return round(Decimal(field) * 1000)
