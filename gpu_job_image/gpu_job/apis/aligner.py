"""Gives words times where an API gives none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..common.audio import Samples
from ..contract import WordTimes
from ..transcribe.raw_segments import RawWord, words_in
from .speech_spans import Spans

UNKNOWN_PROBABILITY = 1.0  # an API that gives no scores says nothing against its words


@dataclass(frozen=True)
class AlignedText:
    """Words with times of their piece, and how the times were made."""

    words: tuple[RawWord, ...]
    by: WordTimes


class Aligner(Protocol):
    """Finds when the words of a text are said."""

    def align(self, sound: Samples, text: str, language: str, speech: Spans) -> AlignedText:
        """The words of a text within `speech`, spans of the piece whose samples are `sound`.

        sound: int16, one channel at 16 kHz. language: a code; empty if unknown.
        """
        ...


class ProportionalAligner:
    """Spreads the words over the speech, each by its number of letters."""

    def align(self, sound: Samples, text: str, language: str, speech: Spans) -> AlignedText:  # noqa: ARG002
        """As in `Aligner`."""
        return AlignedText(tuple(spread(words_in(text), speech)), "estimated")


def spread(written: Sequence[tuple[str, bool]], speech: Spans) -> list[RawWord]:
    """The words over the spans, in proportion to their letters; none crosses a pause."""
    spoken_ms = sum(high - low for low, high in speech)
    letters = sum(len(text) for text, _ in written)
    words, before = [], 0
    for text, joins in written:
        low, high = (spoken_ms * at // letters for at in (before, before + len(text)))
        words.append(RawWord(*_placed(speech, low, high), text, UNKNOWN_PROBABILITY, joins))
        before += len(text)
    return words


def _placed(speech: Spans, low: int, high: int) -> tuple[int, int]:
    """A stretch of spoken time as time of the piece, in the span that holds most of it."""
    best, most, passed = (0, 0), -1, 0
    for start, end in speech:
        shift = start - passed
        inside = (max(low + shift, start), min(high + shift, end))
        if inside[1] - inside[0] > most:
            best, most = inside, inside[1] - inside[0]
        passed += end - start
    return best
