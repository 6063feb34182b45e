"""The model's unprocessed output; times are window times."""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract.word_joins import is_blankless, may_part, text_of

WIDE_SIGNS = 6  # a longer piece in a script without spaces is more than a word


@dataclass(frozen=True, slots=True)
class RawWord:
    """A word as the model wrote it, in milliseconds from the start of its window.

    joins: as in the contract's `Word`.
    """

    start_ms: int
    end_ms: int
    text: str
    probability: float
    joins: bool = False


@dataclass(frozen=True, slots=True)
class RawSegment:
    """A stretch that the model wrote as one unit, and its scores.

    logprob: mean natural logarithm of the token probabilities.
    no_speech: the model's probability that the whole window contains no speech.
    compression: ratio of text length to zlib-compressed length; loops compress well.
    """

    words: tuple[RawWord, ...]
    logprob: float = 0.0
    no_speech: float = 0.0
    compression: float = 1.0

    @property
    def start_ms(self) -> int:
        """Start of the first word."""
        return self.words[0].start_ms

    @property
    def end_ms(self) -> int:
        """End of the word that ends last."""
        return max(word.end_ms for word in self.words)

    @property
    def text(self) -> str:
        """The words, with the spaces that the model wrote."""
        return text_of(self.words)


def raw_segment(found: Any, at_ms: int) -> RawSegment | None:  # noqa: ANN401  # faster_whisper's Segment
    """Convert a segment of faster-whisper; the window starts at `at_ms` of its audio.

    None for an empty segment. Without word times, the words are spread over the segment by their
    lengths.
    """
    words = _spread(found, at_ms) if found.words is None else _timed(found.words, at_ms)
    if not words:
        return None
    return RawSegment(
        words, float(found.avg_logprob), float(found.no_speech_prob), float(found.compression_ratio)
    )


def _timed(found: Any, at_ms: int) -> tuple[RawWord, ...]:  # noqa: ANN401
    """The words with their alignment times."""
    seen = [word for word in found if word.word.strip()]
    return tuple(
        RawWord(
            round(word.start * 1000) - at_ms,
            round(word.end * 1000) - at_ms,
            word.word.strip(),
            _chance(word.probability),
            joins,
        )
        for word, joins in zip(seen, joins_of([word.word for word in found]), strict=True)
    )


def joins_of(written: Sequence[str]) -> Iterator[bool]:
    """For each non-blank text, whether no space precedes it.

    The first text follows the previous segment. There, Whisper sometimes omits the space before a
    new word, so it joins only in scripts without spaces.
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
    """The probability, with 0 for NaN (a mean over no tokens), which JSON cannot represent."""
    return 0.0 if math.isnan(probability) else round(float(probability), 4)


def _spread(found: Any, at_ms: int) -> tuple[RawWord, ...]:  # noqa: ANN401
    written = words_in(found.text)
    letters = sum(len(text) for text, _ in written) or 1
    start, length = found.start * 1000 - at_ms, (found.end - found.start) * 1000
    sure = round(min(1.0, 2.718281828 ** float(found.avg_logprob)), 4)
    words, before = [], 0
    for text, joins in written:
        low, high = before / letters, (before + len(text)) / letters
        times = round(start + length * low), round(start + length * high)
        words.append(RawWord(*times, text, sure, joins))
        before += len(text)
    return tuple(words)


def words_in(text: str) -> list[tuple[str, bool]]:
    """The words of a text without times, each with whether it joins the previous one.

    >>> words_in("levá-lo, 明日")
    [('levá-lo,', False), ('明日', False)]
    """
    pieces = [piece for each in _with_blanks(text) for piece in _short(each)]
    return [(piece.strip(), joins) for piece, joins in zip(pieces, joins_of(pieces), strict=True)]


def _with_blanks(text: str) -> list[str]:
    """The words of a text, each with its preceding space."""
    words = text.split()
    apart = text[:1].isspace()
    return [f" {word}" if at or apart else word for at, word in enumerate(words)]


def _short(text: str) -> Iterator[str]:
    """Split text in a script without spaces into word-like pieces, so that each has a time.

    A piece ends where a run of kanji, kana or another script ends, or when it is long.
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
