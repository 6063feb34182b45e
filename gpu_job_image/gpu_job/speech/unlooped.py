"""A window without its loops: what was written more often than it was heard."""

import dataclasses
from collections.abc import Iterator, Sequence

from .loops import shortened, unheard
from .raw import RawSegment
from .removals import Hearing, Removal, measured


def without_loops(
    segments: Sequence[RawSegment], heard: Hearing
) -> tuple[list[RawSegment], list[Removal]]:
    """Loops may go on over the borders of segments: "Thank you." ten times is ten segments."""
    cut, removals = _shortened(segments, heard)
    gone, moved = unheard([word for segment in cut for word in segment.words], heard)
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
        removals.extend(_looped(part, heard) for part in looping)
    return sorted(kept, key=lambda part: part.start_ms) if moved else kept, removals


def _shortened(
    segments: Sequence[RawSegment], heard: Hearing
) -> tuple[list[RawSegment], list[Removal]]:
    kept: list[RawSegment] = []
    removals: list[Removal] = []
    for segment in segments:
        pairs = [shortened(word, heard.bursts) for word in segment.words]
        rests = tuple(rest for _, rest in pairs if rest is not None)
        words = tuple(word for word, _ in pairs)
        kept.append(dataclasses.replace(segment, words=words) if rests else segment)
        removals.extend(_looped(dataclasses.replace(segment, words=(r,)), heard) for r in rests)
    return kept, removals


def _looped(part: RawSegment, heard: Hearing) -> Removal:
    return Removal(part.words, part.text, "repetition", measured(part, heard))


def _part(segment: RawSegment, chosen: list[bool]) -> Iterator[RawSegment]:
    words = tuple(word for word, is_in in zip(segment.words, chosen, strict=True) if is_in)
    if words:
        yield dataclasses.replace(segment, words=words, compression=1.0)
