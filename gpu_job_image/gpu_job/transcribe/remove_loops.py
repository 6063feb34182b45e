"""Removes loops from a window: text written more often than it was said."""

import dataclasses
from collections.abc import Iterator, Sequence

from .raw_segments import RawSegment
from .removed_words import Removal, WindowSound, measured
from .repetition_loops import shortened, unheard


def without_loops(
    segments: Sequence[RawSegment], sound: WindowSound
) -> tuple[list[RawSegment], list[Removal]]:
    """Remove loops, also across segments: "Thank you." ten times is ten segments."""
    cut, removals = _shortened(segments, sound)
    gone, moved = unheard([word for segment in cut for word in segment.words], sound)
    kept: list[RawSegment] = []
    first = 0
    for segment in cut:
        places = range(first, first + len(segment.words))
        first += len(segment.words)
        if gone.isdisjoint(places) and moved.keys().isdisjoint(places):
            kept.append(segment)
            continue
        words = tuple(moved.get(i, word) for i, word in zip(places, segment.words, strict=True))
        placed = dataclasses.replace(segment, words=words)
        kept.extend(_part(placed, [place not in gone for place in places]))
        looping = tuple(_part(segment, [place in gone for place in places]))
        removals.extend(_looped(part, sound) for part in looping)
    return sorted(kept, key=lambda part: part.start_ms) if moved else kept, removals


def _shortened(
    segments: Sequence[RawSegment], sound: WindowSound
) -> tuple[list[RawSegment], list[Removal]]:
    kept: list[RawSegment] = []
    removals: list[Removal] = []
    for segment in segments:
        pairs = [shortened(word, sound.bursts) for word in segment.words]
        rests = tuple(rest for _, rest in pairs if rest is not None)
        words = tuple(word for word, _ in pairs)
        kept.append(dataclasses.replace(segment, words=words) if rests else segment)
        removals.extend(_looped(dataclasses.replace(segment, words=(r,)), sound) for r in rests)
    return kept, removals


def _looped(part: RawSegment, sound: WindowSound) -> Removal:
    return Removal(part.words, part.text, "repetition", measured(part, sound))


def _part(segment: RawSegment, chosen: list[bool]) -> Iterator[RawSegment]:
    words = tuple(word for word, is_in in zip(segment.words, chosen, strict=True) if is_in)
    if words:
        yield dataclasses.replace(segment, words=words, compression=1.0)
