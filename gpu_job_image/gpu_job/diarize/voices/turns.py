"""Turns out of who was heard in each window, as people speak them."""

from bisect import bisect_left, bisect_right
from types import SimpleNamespace

import numpy as np

from ..base import Check
from ..pyannote.chunks import Chunks
from ..pyannote.turns import Grid, Run, active_speakers, count_speakers, runs
from .grouping import NOBODY, Grouped
from .hearing import Activity, Voices

# of segmentation-3.0: from frame to frame, and what one frame sees
FRAMES = SimpleNamespace(step=270 / 16_000, duration=991 / 16_000)
JOIN_MS = 1_500  # a shorter pause in which nobody else speaks ends no turn
PAD_MS = 100  # the network hears the first and last sounds of a turn late and early


def turns_of(
    chunks: Chunks, activity: Activity, voices: Voices, found: Grouped, check: Check
) -> tuple[list[Run], list[Run]]:
    """All turns, which may overlap, and those in which only one speaks at a time.

    Whoever says too little in a window to be known counts in no frame of it: another window, in
    which there is more of the same, tells.
    """
    speaker = np.full((activity.shape[0], activity.shape[2]), NOBODY)
    speaker[voices.window, voices.speaker] = found.speaker
    known = activity * (speaker != NOBODY)[:, None, :].astype(np.uint8)
    grid = Grid.of(chunks, FRAMES)
    count = count_speakers(known, grid, check)
    together, exclusive = active_speakers(known, speaker, count, grid, check)
    return joined(runs(together, grid), grid.end_ms), joined(runs(exclusive, grid), grid.end_ms)


def joined(found: list[Run], end_ms: int) -> list[Run]:
    """The same in time order, over short pauses and a little into silence, never over another."""
    starts = sorted(start for start, _, _ in found)
    last_ends = _last_ends(found)
    whole: dict[int, list[list[int]]] = {}
    for start, end, one in sorted(found):
        own = whole.setdefault(one, [])
        if own and start - own[-1][1] <= JOIN_MS and _silent(own[-1][1], start, starts, last_ends):
            own[-1][1] = max(own[-1][1], end)
        else:
            own.append([start, end])
    flat = sorted((start, end, one) for one, own in whole.items() for start, end in own)
    return _padded(flat, end_ms)


def _last_ends(found: list[Run]) -> list[int]:
    """The latest end among the turns up to each, in order of their starts."""
    latest: list[int] = []
    for _, end, _ in sorted(found):
        latest.append(max(end, latest[-1] if latest else 0))
    return latest


def _silent(low: int, high: int, starts: list[int], last_ends: list[int]) -> bool:
    """Whether no turn reaches into the time between."""
    before = bisect_left(starts, low)
    reaches = before > 0 and last_ends[before - 1] > low
    return not reaches and bisect_left(starts, high) == before


def _padded(found: list[Run], end_ms: int) -> list[Run]:
    starts = sorted(start for start, _, _ in found)
    ends = sorted(end for _, end, _ in found)
    result = []
    for start, end, one in found:
        before, after = bisect_right(ends, start), bisect_left(starts, end)
        earliest = ends[before - 1] if before else 0
        latest = starts[after] if after < len(starts) else end_ms
        result.append((max(start - PAD_MS, earliest), min(end + PAD_MS, max(end, latest)), one))
    return sorted(result)
