"""Splits the model's segments into readable ones, in recording time."""

from collections.abc import Iterator, Sequence

from ..contract import Segment, Word
from ..contract.word_joins import is_blankless, may_begin
from .raw_segments import RawSegment, RawWord
from .windows import Window

PAUSE_MS = 1_000  # a pause that ends a segment
LONG_MS = 7_000  # beyond this, the end of a sentence ends the segment
TOO_LONG_MS = 14_000  # batched mode writes whole paragraphs as one segment (faster-whisper#1396)
TOO_MANY_WORDS = 40
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")


def segments_of(raw: RawSegment, window: Window, language: str = "") -> Iterator[Segment]:
    """The raw segment in recording time, split where it is too long."""
    for part in _parts(raw.words):
        words = words_of(part, window)
        yield Segment(
            start_ms=words[0].start_ms,
            end_ms=max(word.end_ms for word in words),
            words=words,
            channel=window.channel,
            language=language,
        )


def words_of(raw: Sequence[RawWord], window: Window) -> tuple[Word, ...]:
    """Consecutive words in recording time."""
    return tuple(_word(word, window, is_first=at == 0) for at, word in enumerate(raw))


def _word(raw: RawWord, window: Window, *, is_first: bool) -> Word:
    """The word in recording time; a first word joins nothing, except in scripts without spaces."""
    low, high = window.recording_span(raw.start_ms, raw.end_ms)
    return Word(
        start_ms=low,
        end_ms=high,
        text=raw.text,
        probability=raw.probability,
        channel=window.channel,
        joins=raw.joins and (not is_first or is_blankless(raw.text[0])),
    )


def _parts(words: Sequence[RawWord]) -> Iterator[Sequence[RawWord]]:
    """Split at pauses; split parts that are still too long at the longest pause in their middle.

    Words are never split: "levá" and its "-lo" stay together.
    """
    first = 0
    for i in range(1, len(words)):
        if not may_begin(words[i - 1], words[i]):
            continue
        rests = words[i].start_ms - words[i - 1].end_ms >= PAUSE_MS
        so_long = words[i - 1].end_ms - words[first].start_ms >= LONG_MS
        if rests or (so_long and words[i - 1].text.endswith(_SENTENCE_ENDS)):
            yield from _halved(words[first:i])
            first = i
    if words:
        yield from _halved(words[first:])


def _halved(words: Sequence[RawWord]) -> Iterator[Sequence[RawWord]]:
    length_ms = words[-1].end_ms - words[0].start_ms
    if len(words) < 4 or (length_ms <= TOO_LONG_MS and len(words) <= TOO_MANY_WORDS):  # noqa: PLR2004  # two in each half
        yield words
        return
    quarter = len(words) // 4
    middle = range(max(1, quarter), len(words) - quarter)
    places = [i for i in middle if may_begin(words[i - 1], words[i])]
    if not places:
        yield words
        return
    cut = max(
        places,
        key=lambda i: (
            words[i].start_ms - words[i - 1].end_ms,
            words[i - 1].text.endswith((",", ";", ":", *_SENTENCE_ENDS)),
            -abs(i - len(words) // 2),
        ),
    )
    yield from _halved(words[:cut])
    yield from _halved(words[cut:])
