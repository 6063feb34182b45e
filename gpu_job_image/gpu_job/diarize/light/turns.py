"""Builds turns from the speakers of each window."""

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np

from ...common.audio import SAMPLES_PER_MS
from ..chunks import Indices
from ..pyannote.turns import Run
from .clustering import Grouped
from .inference import Heard, Pieces, runs_of

JOIN_MS = 1_500  # a shorter pause without another speaker does not end a turn
BRIDGE_MS = 100  # within a word


def turns_of(
    heard: list[Heard], pieces: Pieces, found: Grouped, end_ms: int, begins: Indices
) -> list[Run]:
    """All turns in time order; they may overlap. `begins`: from `beginnings`."""
    key = pieces.window * 3 + pieces.speaker
    runs: list[Run] = []
    for rows in np.split(np.arange(len(key)), np.flatnonzero(np.diff(key)) + 1):
        part = heard[pieces.window[rows[0]]]
        for low, high, one in _spoken(part, pieces, found, rows, begins):
            start, end = (part.samples_of(frame) // SAMPLES_PER_MS for frame in (low, high))
            runs.append((start, min(end, end_ms), one))
    return joined([run for run in runs if run[0] < run[1]])


def _spoken(
    part: Heard, pieces: Pieces, found: Grouped, rows: Indices, begins: Indices
) -> Iterator[Run]:
    """Spans of one speaker of one window, split where its pieces belong to different people."""
    low, high, who = pieces.low[rows], pieces.high[rows], found.speaker[rows]
    order = np.argsort(low)
    low, high, who = low[order], high[order], who[order]
    changes = np.flatnonzero(np.diff(who)) + 1
    cuts = begins[rows][order][changes].tolist()
    people = who[[0, *changes.tolist()]].tolist()
    for start, end in runs_of(part.active[:, pieces.speaker[rows[0]]].astype(bool)):
        edges = [0, *cuts, len(part.active)]
        for one, a, b in zip(people, edges, edges[1:], strict=False):
            if max(start, a) < min(end, b):
                yield max(start, a), min(end, b), one


def joined(found: list[Run]) -> list[Run]:
    """The runs in time order, joined across short pauses in which no other speaker talks."""
    starts = sorted(start for start, _, _ in found)
    last_ends = _last_ends(found)
    whole: dict[int, list[list[int]]] = {}
    for start, end, one in sorted(found):
        own = whole.setdefault(one, [])
        pause = start - own[-1][1] if own else JOIN_MS + 1
        silent = pause <= JOIN_MS and _silent(start - pause, start, starts, last_ends)
        if pause <= BRIDGE_MS or silent:
            own[-1][1] = max(own[-1][1], end)
        else:
            own.append([start, end])
    return sorted((start, end, one) for one, own in whole.items() for start, end in own)


def _last_ends(found: list[Run]) -> list[int]:
    """The latest end among the turns up to each, in order of their starts."""
    latest: list[int] = []
    for _, end, _ in sorted(found):
        latest.append(max(end, latest[-1] if latest else 0))
    return latest


def _silent(low: int, high: int, starts: list[int], last_ends: list[int]) -> bool:
    """Whether no turn overlaps the time between."""
    before = bisect_left(starts, low)
    reaches = before > 0 and last_ends[before - 1] > low
    return not reaches and bisect_left(starts, high) == before
