"""What the model wrote, before anything is made of it; times are those of a window."""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract.joins import is_blankless, may_part, text_of

WIDE_SIGNS = 6  # a longer piece of a script without blanks is more than a word


@dataclass(frozen=True, slots=True)
class RawWord:
    """A word as the model heard it, in ms from the start of its window.

    joins: as in the contract's `Word`.
    """

    start_ms: int
    end_ms: int
    text: str
    probability: float
    joins: bool = False


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
        """The words, with the blanks that the model wrote."""
        return text_of(self.words)


def raw_segment(found: Any, at_ms: int) -> RawSegment | None:  # noqa: ANN401  # faster_whisper's Segment
    """What faster-whisper found in audio in which the window begins at `at_ms`.

    None where it wrote nothing. Without word times, the words are spread evenly over the segment,
    by their lengths.
    """
    words = _spread(found, at_ms) if found.words is None else _timed(found.words, at_ms)
    if not words:
        return None
    return RawSegment(
        words, float(found.avg_logprob), float(found.no_speech_prob), float(found.compression_ratio)
    )


def _timed(found: Any, at_ms: int) -> tuple[RawWord, ...]:  # noqa: ANN401
    """The words with their own times."""
    seen = [word for word in found if word.word.strip()]
    return tuple(
        RawWord(
            round(word.start * 1000) - at_ms,
            round(word.end * 1000) - at_ms,
            word.word.strip(),
            _chance(word.probability),
            joins,
        )
        for word, joins in zip(seen, _joins([word.word for word in found]), strict=True)
    )


def _joins(written: Sequence[str]) -> Iterator[bool]:
    """For each text that is not blank alone, whether no blank stands before it.

    The first one follows what was written before this segment. There Whisper now and then forgets
    the blank of a new word, so that nothing joins but scripts that have none.
    """
    apart, is_first = False, True
    for text in written:
        apart = apart or text[:1].isspace()
        bare = text.strip()
        if bare:
            yield not apart and (not is_first or is_blankless(bare[0]))
            apart, is_first = text[-1:].isspace(), False
        else:
            apart = apart or bool(text)


def _chance(probability: float) -> float:
    """The mean over no token is no number, and JSON has none such: nobody could read the result."""
    return 0.0 if math.isnan(probability) else round(float(probability), 4)


def _spread(found: Any, at_ms: int) -> tuple[RawWord, ...]:  # noqa: ANN401
    pieces = [piece for text in _with_blanks(found.text) for piece in _short(text)]
    texts = [piece.strip() for piece in pieces]
    letters = sum(map(len, texts)) or 1
    start, length = found.start * 1000 - at_ms, (found.end - found.start) * 1000
    sure = round(min(1.0, 2.718281828 ** float(found.avg_logprob)), 4)
    words, before = [], 0
    for text, joins in zip(texts, _joins(pieces), strict=True):
        low, high = before / letters, (before + len(text)) / letters
        times = round(start + length * low), round(start + length * high)
        words.append(RawWord(*times, text, sure, joins))
        before += len(text)
    return tuple(words)


def _with_blanks(text: str) -> list[str]:
    """The words of a text, each with a blank where one stands before it."""
    words = text.split()
    apart = text[:1].isspace()
    return [f" {word}" if at or apart else word for at, word in enumerate(words)]


def _short(text: str) -> Iterator[str]:
    """A word, or pieces of a text that is written without blanks: one time for a sentence is none.

    A piece ends where a run of kanji, kana or another script does, or when it is long.
    """
    begin = 0
    for at in range(2, len(text)):
        last, sign = text[at - 1], text[at]
        if may_part(last, sign) and (at - begin >= WIDE_SIGNS or _begins_word(last, sign)):
            yield text[begin:at]
            begin = at
    yield text[begin:]


def _begins_word(last: str, sign: str) -> bool:
    """Whether the script changes here; hiragana after kanji only ends a word."""
    names = [unicodedata.name(each, "").partition(" ")[0] for each in (last, sign)]
    return names[0] != names[1] and (names[1] != "HIRAGANA" or not last.isalpha())
