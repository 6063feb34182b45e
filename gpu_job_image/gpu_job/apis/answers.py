"""What a transcription API answers, in one form, whatever it calls its fields."""

import json
import math
from dataclasses import dataclass
from typing import Any

from .language_names import code_of


class UnreadableAnswerError(Exception):
    """The answer is no JSON object with a text; it may have been billed all the same."""


@dataclass(frozen=True, slots=True)
class TimedText:
    """A text with its times in milliseconds of the piece; a word, or a segment.

    no_speech, logprob: Whisper's own scores of a segment, where the API gives them.
    """

    text: str
    start_ms: int
    end_ms: int
    no_speech: float = 0.0
    logprob: float = 0.0


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """The text of one piece, and the times that came with it; empty where there are none."""

    text: str
    language: str = ""
    words: tuple[TimedText, ...] = ()
    segments: tuple[TimedText, ...] = ()


def answer_of(body: bytes) -> ApiAnswer:
    """The answer in a body.

    Raises:
        UnreadableAnswerError: the body is cut off, or another thing altogether.
    """
    try:
        found = json.loads(body)
        return ApiAnswer(
            text=found["text"].strip(),
            language=_language(found),
            words=_timed(found.get("words"), "word"),
            segments=_timed(found.get("segments"), "text"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableAnswerError(type(error).__name__) from None


def _language(found: dict[str, Any]) -> str:
    """`language`, or the first of gpt-transcribe's `languages`."""
    several = found.get("languages") or [""]
    return code_of(str(found.get("language") or several[0] or ""))


def _timed(found: Any, field: str) -> tuple[TimedText, ...]:  # noqa: ANN401  # from JSON
    """The entries with a text and finite times."""
    return tuple(
        TimedText(
            str(each.get(field) or each.get("text") or ""),
            _ms(each["start"]),
            max(_ms(each["end"]), _ms(each["start"])),
            float(each.get("no_speech_prob") or 0.0),
            float(each.get("avg_logprob") or 0.0),
        )
        for each in found or ()
        if str(each.get(field) or each.get("text") or "").strip()
    )


def _ms(seconds: Any) -> int:  # noqa: ANN401  # from JSON
    value = float(seconds)
    if not math.isfinite(value):
        raise ValueError("a time is not finite")
    return max(0, round(value * 1000))
