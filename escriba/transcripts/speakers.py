"""Assigns a speaker to each word by the turns of the diarizer."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gpu_job.contract import Turn, Word

SPEAKER_UNKNOWN = "SPEAKER_UNKNOWN"

# Chosen, not measured: Whisper's word times are off by a few hundred ms, so a word that is further
# from any turn was more probably hallucinated in silence than misplaced.
REACH_MS = 1_000

_Column: TypeAlias = npt.NDArray[np.int64]


def assign_speakers(
    words: Sequence[Word], turns: Sequence[Turn], *, reach_ms: int = REACH_MS
) -> list[str]:
    """The speaker of each word, in the order of `words`.

    A word belongs to the turn that overlaps it most; without overlap, to the nearest turn within
    `reach_ms`; else to SPEAKER_UNKNOWN. In a tie the turn that began first wins (the current
    speaker keeps the floor), then the longer one, then the smaller label. A word counts as at least
    1 ms long; turns of length 0 are ignored.

    Words and turns may come in any order and overlap in any way. It takes O((words + turns) log
    turns): a turn within another turn can never win, so the relevant turns form a staircase (starts
    and ends both rise), in which bisection finds the best one.

    Args:
        words: Words with times in ms.
        turns: Turns of any number of speakers, with times in ms.
        reach_ms: Maximum distance between a word and its turn; 0: they must touch.
    """
    stairs = _staircase(turns)
    if not stairs:
        return [SPEAKER_UNKNOWN] * len(words)
    from_ms = _column([word.start_ms for word in words])
    to_ms = np.maximum(_column([word.end_ms for word in words]), from_ms + 1)
    winner, overlap = _best(from_ms, to_ms, stairs)
    labels = np.array([*(turn.speaker for turn in stairs), SPEAKER_UNKNOWN], dtype=object)
    chosen: list[str] = labels[np.where(overlap >= -reach_ms, winner, -1)].tolist()
    return chosen


def _column(values: list[int]) -> _Column:
    return np.array(values, dtype=np.int64)


def _staircase(turns: Sequence[Turn]) -> list[Turn]:
    """The turns that are not within another turn, in time order."""
    stairs: list[Turn] = []
    highest_end = -1
    for turn in sorted(turns, key=lambda turn: (turn.start_ms, -turn.end_ms, turn.speaker)):
        if turn.end_ms > max(highest_end, turn.start_ms):
            stairs.append(turn)
            highest_end = turn.end_ms
    return stairs


def _best(from_ms: _Column, to_ms: _Column, stairs: list[Turn]) -> tuple[_Column, _Column]:
    """The best turn of each word, and their overlap in ms (below 0: the distance between them).

    On a staircase three turns can win: the last that starts at or before the word, the longest one
    within it, and the first that ends at or after it.
    """
    starts = _column([turn.start_ms for turn in stairs])
    ends = _column([turn.end_ms for turn in stairs])
    before = np.searchsorted(starts, from_ms, "right") - 1
    after = np.searchsorted(ends, to_ms, "left")

    def overlap_of(index: _Column, exists: npt.NDArray[np.bool_]) -> _Column:
        turn = np.where(exists, index, 0)
        shared = np.minimum(ends[turn], to_ms) - np.maximum(starts[turn], from_ms)
        return np.where(exists, shared, np.iinfo(np.int64).min)

    winner, overlap = before, overlap_of(before, before >= 0)
    inside = np.flatnonzero(after > before + 1)
    longest = _longest(ends - starts, before[inside] + 1, after[inside])
    better = (ends - starts)[longest] > overlap[inside]
    winner[inside[better]] = longest[better]
    overlap[inside[better]] = (ends - starts)[longest[better]]

    last = overlap_of(after, after < len(stairs))
    first_of_equals = (last == overlap) & (after < winner)
    wins = (last > overlap) | first_of_equals
    return np.where(wins, after, winner), np.where(wins, last, overlap)


def _longest(lengths: _Column, low: _Column, high: _Column) -> _Column:
    """Index of the first maximum in each non-empty range [low, high), by a sparse table."""
    table = [np.arange(len(lengths))]
    while len(table[-1]) > (step := 1 << (len(table) - 1)):
        left, right = table[-1][:-step], table[-1][step:]
        table.append(np.where(lengths[right] > lengths[left], right, left))
    level = np.frexp((high - low).astype(np.float64))[1] - 1
    found = np.zeros(len(low), dtype=np.int64)
    for depth in np.unique(level):
        at = level == depth
        left, right = table[depth][low[at]], table[depth][high[at] - (1 << int(depth))]
        found[at] = np.where(lengths[right] > lengths[left], right, left)
    return found
