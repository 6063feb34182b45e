"""Inserts the new words of the second pass into the segments of the first."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

from ..contract.word_joins import units
from .coverage_gaps import SpeechGap, word_spans
from .raw_segments import RawSegment, RawWord
from .repetition_loops import bare

SLACK_MS = 150  # word times are no more precise than that
FAR_MS = 3_000  # the same word is rarely farther apart in both passes


def merge_words(
    segments: Sequence[RawSegment], again: Sequence[RawSegment], gap: SpeechGap
) -> tuple[list[RawSegment], int]:
    """The segments of a window with the words of a gap inserted, and the number of new words.

    The second pass starts before the gap and ends after it. Words in both passes are the same; of
    the other words, those in the gap are new. All times are window times.
    """
    words = [word for segment in segments for word in segment.words]
    second = [word for segment in again for word in segment.words]
    pairs = _same(words, second)
    new = _new(words, second, pairs, gap)
    if not new:
        return list(segments), 0
    first = _split(segments, gap, {i: second[j] for i, j in pairs.items()})
    inserted = list(_chosen(again, new))
    together = sorted([*first, *inserted], key=lambda segment: segment.start_ms)
    return together, len(new)


def shifted(segments: Sequence[RawSegment], by_ms: int) -> list[RawSegment]:
    """The segments, shifted by `by_ms`."""
    return [
        dataclasses.replace(
            segment,
            words=tuple(
                dataclasses.replace(
                    word, start_ms=word.start_ms + by_ms, end_ms=word.end_ms + by_ms
                )
                for word in segment.words
            ),
        )
        for segment in segments
    ]


def _new(
    first: Sequence[RawWord], second: Sequence[RawWord], pairs: dict[int, int], gap: SpeechGap
) -> set[int]:
    """Indices in `second` of words in the gap that are not another reading of an existing word.

    A suffix of an existing word, such as the "%" of "3.5%", is not a new word, nor is a lone
    punctuation mark.
    """
    known = set(pairs.values())
    alone = [span for i, word in enumerate(first) if i not in pairs for span in word_spans(word)]
    new = {
        place
        for place, word in enumerate(second)
        if place not in known
        and gap.low_ms - SLACK_MS <= center(word) <= gap.high_ms + SLACK_MS
        and not any(low <= center(word) <= high for low, high in alone)
    }
    found: set[int] = set()
    at = 0
    for unit in units(second):
        places = range(at, at + len(unit))
        at += len(unit)
        head = next((place for place in places if bare(second[place].text)), None)
        found |= new.intersection(places) if head in new else set()
    return found


def _same(first: Sequence[RawWord], second: Sequence[RawWord]) -> dict[int, int]:
    """Index pairs of words in both passes, in order: as many and as close in time as possible.

    The longest common subsequence, weighted so that pairs farther apart in time count less: of
    three "yes" and five, those at the same time are paired.
    """
    if not second:
        return {}
    low, high = second[0].start_ms - FAR_MS, second[-1].end_ms + FAR_MS
    near = [i for i, word in enumerate(first) if low <= word.end_ms and word.start_ms <= high]
    best = [[0.0] * (len(second) + 1) for _ in range(len(near) + 1)]
    for a, i in enumerate(near, 1):
        for b, word in enumerate(second, 1):
            pair = best[a - 1][b - 1] + _worth(first[i], word)
            best[a][b] = max(pair, best[a - 1][b], best[a][b - 1])
    pairs: dict[int, int] = {}
    a, b = len(near), len(second)
    while a and b:
        if best[a][b] == best[a - 1][b]:
            a -= 1
        elif best[a][b] == best[a][b - 1]:
            b -= 1
        else:
            a, b = a - 1, b - 1
            pairs[near[a]] = b
    return pairs


def _worth(one: RawWord, other: RawWord) -> float:
    if bare(one.text) != bare(other.text):
        return 0.0
    return 2.0 - min(1.0, abs(center(one) - center(other)) / FAR_MS)


def _split(
    segments: Sequence[RawSegment], gap: SpeechGap, better: dict[int, RawWord]
) -> Iterator[RawSegment]:
    """Cut at the gap; a word that was stretched over it gets the times of its second hearing."""
    middle = (gap.low_ms + gap.high_ms) // 2
    place = 0
    for segment in segments:
        words = []
        for word in segment.words:
            is_over = word.start_ms < gap.high_ms and word.end_ms > gap.low_ms
            words.append(_timed_as(word, better[place]) if is_over and place in better else word)
            place += 1
        for _, part in itertools.groupby(words, lambda word: center(word) < middle):
            yield dataclasses.replace(segment, words=tuple(part))


def center(word: RawWord) -> int:
    """The middle of its time."""
    return (word.start_ms + word.end_ms) // 2


def _timed_as(word: RawWord, other: RawWord) -> RawWord:
    return dataclasses.replace(word, start_ms=other.start_ms, end_ms=other.end_ms)


def _chosen(segments: Sequence[RawSegment], places: set[int]) -> Iterator[RawSegment]:
    """What is left of the segments with the words at these places alone."""
    first = 0
    for segment in segments:
        words = tuple(word for place, word in enumerate(segment.words, first) if place in places)
        first += len(segment.words)
        if words:
            yield dataclasses.replace(segment, words=words)
