"""What the model wrote, before anything is made of it; times are those of a window."""

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RawWord:
    """A word as the model heard it, in ms from the start of its window."""

    start_ms: int
    end_ms: int
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class RawSegment:
    """A stretch that the model wrote as one piece, and how sure it was.

    logprob: mean natural logarithm of the tokens' probabilities.
    no_speech: the model's probability that nobody speaks in the whole window.
    compression: length of the text over that of its zlib form; loops compress well.
    """

    words: tuple[RawWord, ...]
    logprob: float = 0.0
    no_speech: float = 0.0
    compression: float = 1.0

    @property
    def start_ms(self) -> int:
        """Of its first word."""
        return self.words[0].start_ms

    @property
    def end_ms(self) -> int:
        """Of its last word to end."""
        return max(word.end_ms for word in self.words)

    @property
    def text(self) -> str:
        """The words, joined by single blanks."""
        return " ".join(word.text for word in self.words)


def raw_segment(found: Any, at_ms: int) -> RawSegment | None:  # noqa: ANN401  # faster_whisper's Segment
    """What faster-whisper found in audio in which the window begins at `at_ms`.

    None where it wrote nothing. Without word times, the words are spread evenly over the segment,
    by their lengths.
    """
    words = (
        tuple(
            RawWord(
                round(word.start * 1000) - at_ms,
                round(word.end * 1000) - at_ms,
                word.word.strip(),
                _chance(word.probability),
            )
            for word in found.words
            if word.word.strip()
        )
        if found.words is not None
        else _spread(found, at_ms)
    )
    if not words:
        return None
    return RawSegment(
        words, float(found.avg_logprob), float(found.no_speech_prob), float(found.compression_ratio)
    )


def _chance(probability: float) -> float:
    """The mean over no token is no number, and JSON has none such: nobody could read the result."""
    return 0.0 if math.isnan(probability) else round(float(probability), 4)


def _spread(found: Any, at_ms: int) -> tuple[RawWord, ...]:  # noqa: ANN401
    texts = found.text.split()
    letters = sum(map(len, texts)) or 1
    start, length = found.start * 1000 - at_ms, (found.end - found.start) * 1000
    sure = round(min(1.0, 2.718281828 ** float(found.avg_logprob)), 4)
    words, before = [], 0
    for text in texts:
        low, high = before / letters, (before + len(text)) / letters
        words.append(RawWord(round(start + length * low), round(start + length * high), text, sure))
        before += len(text)
    return tuple(words)
