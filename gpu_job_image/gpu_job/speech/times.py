"""Times of words that can be true: in order, inside the window, never without length.

A Whisper's times come from its cross-attention. It gives words of no length (three of a row at
one instant), and stretches a word over the pause beside it: the first after a pause begins where
the pause does, the last before one ends where the pause does.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence

from .raw import RawSegment, RawWord

LEAST_MS = 60  # the shortest words of fast speech; two of Whisper's own steps are 40
STRETCHED_MS = 1_000  # a longer word is looked at: few take so long, and pauses do
PAUSE_MS = 300  # silence in a word: longer than any stop inside one
AROUND_MS = 40  # kept of the silence on both sides of what was heard

# the stretches with sound between two times of a window: (start, end) in ms, in order
Sounds = Callable[[int, int], Sequence[tuple[int, int]]]


def timed(segments: Sequence[RawSegment], length_ms: int, sounds: Sounds) -> list[RawSegment]:
    """The segments of one window of that length, with the times of their words put right.

    `sounds` is asked only about words that are longer than STRETCHED_MS.
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
    """A word that was stretched over a pause, where it sounds: in the longest stretch of sound."""
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
    """One after another in [0, length_ms], none without length, none over its neighbour.

    Each has LEAST_MS, or as much as there is for all; who has more gives to who has none.
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
    """Stretches of sound with less than PAUSE_MS between them are one."""
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
