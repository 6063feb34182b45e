"""The turns in the output of a job of pyannoteAI."""

from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from ..contract import Turn
from ..diarize.base import Diarization


class UnreadableTurnsError(Exception):
    """A job succeeded, and its output is missing, deleted or damaged."""


class _Span(BaseModel):
    start: float
    end: float
    speaker: str


_SPANS = TypeAdapter(list[_Span])


def diarization_of(job: dict[str, Any], audio_ms: int, by: str) -> Diarization:
    """Turns and exclusive turns; speakers are numbered in order of appearance.

    Raises:
        UnreadableTurnsError: the output holds no turns.
    """
    output = job.get("output")
    if not isinstance(output, dict) or output.get("diarization") is None:
        raise UnreadableTurnsError("it has no turns")
    try:
        spans = _SPANS.validate_python(output["diarization"])
        exclusive = _SPANS.validate_python(output.get("exclusiveDiarization") or [])
    except ValidationError as error:
        raise UnreadableTurnsError("its turns have another form") from error
    ordered = sorted(spans, key=lambda one: (one.start, one.end))
    labels = dict.fromkeys(one.speaker for one in (*ordered, *exclusive))
    names = {label: f"SPEAKER_{number:02d}" for number, label in enumerate(labels)}
    return Diarization(_turns(ordered, names, audio_ms), _turns(exclusive, names, audio_ms), by=by)


def _turns(spans: list[_Span], names: dict[str, str], audio_ms: int) -> tuple[Turn, ...]:
    """Within the recording, in time order, without empty ones; rounded once."""
    turns = (
        Turn(
            start_ms=min(max(round(one.start * 1000), 0), audio_ms),
            end_ms=min(max(round(one.end * 1000), 0), audio_ms),
            speaker=names[one.speaker],
        )
        for one in spans
    )
    kept = (turn for turn in turns if turn.start_ms < turn.end_ms)
    return tuple(sorted(kept, key=lambda turn: (turn.start_ms, turn.end_ms, turn.speaker)))
