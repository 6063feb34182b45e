"""Corrects word times: in order, inside the window, each with a duration.

Whisper's times come from its cross-attention. Some words have no duration (three in a row at one
instant), and words next to a pause are stretched over it: the first word after a pause starts where
the pause starts, the last word before it ends where the pause ends.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence

from .raw_segments import RawSegment, RawWord

LEAST_MS = 60  # the shortest words of fast speech; two of Whisper's own steps are 40
STRETCHED_MS = 1_000  # a longer word is checked: few words take so long, but pauses do
PAUSE_MS = 300  # silence in a word: longer than any stop inside one
AROUND_MS = 40  # of silence kept on both sides of the sound

# spans with sound between two times of a window: (start, end) in ms, in order
Sounds = Callable[[int, int], Sequence[tuple[int, int]]]


def timed(segments: Sequence[RawSegment], length_ms: int, sounds: Sounds) -> list[RawSegment]:
    """The segments of one window of that length, with corrected word times.

    `sounds` is called only for words longer than STRETCHED_MS.
    """
    words = in_order(
        [without_pause(word, sounds) for segment in segments for word in segment.words], length_ms
    )
    rest = iter(words)
    return [
        dataclasses.replace(each, words=tuple(itertools.islice(rest, len(each.words))))
        for each in segments
    ]


def without_pause(word: RawWord, sounds: Sounds) -> RawWord:
    """A stretched word, shortened to its longest span of sound."""
    if word.end_ms - word.start_ms <= STRETCHED_MS:
        return word
    parts = list(_joined(sounds(word.start_ms, word.end_ms)))
    if not parts:
        return word
    start, end = max(parts, key=lambda part: part[1] - part[0])
    return dataclasses.replace(
        word,
        start_ms=max(word.start_ms, start - AROUND_MS),
        end_ms=min(word.end_ms, end + AROUND_MS),
    )


def in_order(words: Sequence[RawWord], length_ms: int) -> list[RawWord]:
    """The words in order within [0, length_ms], each with a duration, without overlap.

    Each gets at least LEAST_MS, or an equal share of a shorter window, taken from longer words.
    """
    if not words:
        return []
    least = min(LEAST_MS, length_ms // len(words))
    starts: list[int] = []
    for word in words:
        earliest = starts[-1] + least if starts else 0
        starts.append(max(word.start_ms, earliest))
    latest = length_ms
    for i in reversed(range(len(words))):
        starts[i] = latest = min(starts[i], latest - least)
    follows = [*starts[1:], length_ms]
    return [
        dataclasses.replace(
            word, start_ms=start, end_ms=min(max(word.end_ms, start + least), following)
        )
        for word, start, following in zip(words, starts, follows, strict=True)
    ]


def _joined(parts: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans of sound, joined where less than PAUSE_MS separates them."""
    at: tuple[int, int] | None = None
    for start, end in parts:
        if at is not None and start - at[1] < PAUSE_MS:
            at = (at[0], end)
            continue
        if at is not None:
            yield at
        at = (start, end)
    if at is not None:
        yield at
