"""Diarized segments become phrases: words of one speaker that may share a subtitle."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipelines.speech.diarized import DiarizedSegment, DiarizedWord
from pipelines.speech.width import clusters, columns, tidy_words

LINE_COLUMNS = 42  # Netflix, Timed Text Style Guide, Latin scripts
PAUSE_MS = 1_000  # chosen: a longer silence would show words before they are said


@dataclass(frozen=True, slots=True)
class Token:
    """A word as it will be shown, at most LINE_COLUMNS wide; ends no earlier than it starts."""

    start_ms: int
    end_ms: int
    text: str
    columns: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words of one speaker in time order, without a long pause."""

    speaker: str
    tokens: tuple[Token, ...]


def phrases(segments: Iterable[DiarizedSegment]) -> list[Phrase]:
    """Cut the segments where another speaker begins, where somebody pauses, or time runs back.

    Who talks while another one begins is cut there too, so that what they say stays in order.
    Segments of one speaker with nothing in between are joined. Sorted by start, then by end.
    """
    ordered = sorted(segments, key=lambda segment: (segment.start_ms, segment.end_ms))
    onsets = [new.start_ms for old, new in pairwise(ordered) if old.speaker != new.speaker]
    runs: defaultdict[tuple[int, str], list[Token]] = defaultdict(list)
    for segment in ordered:
        for word in segment.words:
            runs[bisect_right(onsets, word.start_ms), segment.speaker].extend(_tokens(word))
    found = (
        Phrase(speaker, part) for (_, speaker), run in runs.items() for part in _without_pauses(run)
    )
    return sorted(found, key=lambda it: (it.tokens[0].start_ms, it.tokens[-1].end_ms))


def _without_pauses(tokens: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
    begin = 0
    for index, (old, new) in enumerate(pairwise(tokens), start=1):
        if not old.start_ms <= new.start_ms < old.end_ms + PAUSE_MS:
            yield tuple(tokens[begin:index])
            begin = index
    if tokens:
        yield tuple(tokens[begin:])


def _tokens(word: DiarizedWord) -> list[Token]:
    """The pieces of a word that has blanks, or is wider than a line; they share its time."""
    pieces = [piece for part in tidy_words(word.text) for piece in _fitting(part)]
    length_ms = max(0, word.end_ms - word.start_ms)
    edges = [word.start_ms + length_ms * at // max(1, len(pieces)) for at in range(len(pieces) + 1)]
    return [
        Token(start_ms, end_ms, piece, columns(piece))
        for piece, (start_ms, end_ms) in zip(pieces, pairwise(edges), strict=True)
    ]


def _fitting(text: str) -> list[str]:
    """The text, or its slices that each fit on a line."""
    if columns(text) <= LINE_COLUMNS:
        return [text]
    pieces, room = [""], LINE_COLUMNS
    for cluster in clusters(text):
        if columns(cluster) > room:
            pieces.append("")
            room = LINE_COLUMNS
        pieces[-1] += cluster
        room -= columns(cluster)
    return pieces
