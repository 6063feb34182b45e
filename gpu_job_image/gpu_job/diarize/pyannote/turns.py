"""Builds turns from the activity and speakers of chunks, in slices of time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...common.audio import SAMPLE_RATE_HZ, SAMPLES_PER_MS
from ..chunks import Chunks, Indices
from .clusters import NO_SPEAKER
from .inference import Activity

if TYPE_CHECKING:
    from pyannote.core import SlidingWindow

FRAMES_AT_ONCE = 32_768  # 9 min of 16.9 ms each

Flags = npt.NDArray[np.bool_]
Run = tuple[int, int, int]  # start ms, end ms, speaker


@dataclass(frozen=True)
class Grid:
    """The positions of the chunks' frames in the recording.

    start: the first frame of each processed chunk, ascending (chunks,).
    frames, end_ms: of the whole recording.
    step_seconds, width_seconds: frame step and frame width.
    """

    start: Indices
    frames: int
    end_ms: int
    step_seconds: float
    width_seconds: float

    @classmethod
    def of(cls, chunks: Chunks, field: "SlidingWindow") -> "Grid":
        """The grid of chunks with frames of `field`."""
        start = np.rint(chunks.heard * chunks.step / SAMPLE_RATE_HZ / field.step).astype(np.intp)
        end = (chunks.size + (chunks.total - 1) * chunks.step) / SAMPLE_RATE_HZ
        frames = round(end / field.step) + 1
        return cls(start, frames, chunks.length // SAMPLES_PER_MS, field.step, field.duration)

    def milliseconds(self, frame: Indices) -> Indices:
        """The middle of a frame in milliseconds."""
        middle = frame * self.step_seconds + 0.5 * self.width_seconds
        return np.rint(1000 * middle).astype(np.intp)

    def slices(self, chunk_frames: int) -> Iterator[tuple[int, int, range]]:
        """First and last frame of each slice, and the rows of the chunks that overlap it."""
        for low in range(0, self.frames, FRAMES_AT_ONCE):
            high = min(low + FRAMES_AT_ONCE, self.frames)
            first = int(np.searchsorted(self.start, low - chunk_frames, "right"))
            yield low, high, range(first, int(np.searchsorted(self.start, high)))


def count_speakers(activity: Activity, grid: Grid, check: Callable[[], None]) -> Activity:
    """The number of concurrent speakers in each frame: the rounded mean of its chunks."""
    result = np.zeros(grid.frames, np.uint8)
    each = activity.sum(2, dtype=np.uint8)
    for low, high, rows in grid.slices(activity.shape[1]):
        check()
        heard, chunks = np.zeros((2, high - low), np.float32)
        for row in rows:
            here, there = _overlap(grid.start[row] - low, each.shape[1], high - low)
            heard[here] += each[row, there]
            chunks[here] += 1
        result[low:high] = np.rint(heard / np.maximum(chunks, 1))
    return result


def active_speakers(
    activity: Activity, speaker: Indices, count: Activity, grid: Grid, check: Callable[[], None]
) -> tuple[Flags, Flags]:
    """The speakers of each frame, and the main speaker of each frame: both (frames, speakers).

    The `count` speakers active in most chunks. pyannote's `reconstruct` builds an array of
    chunks × frames × speakers for this: 1.4 GB of float64 for 8 h with 10 speakers.
    """
    speakers = max(int(speaker.max()) + 1, int(count.max()))
    together = np.zeros((grid.frames, speakers), bool)
    exclusive = np.zeros_like(together)
    for low, high, rows in grid.slices(activity.shape[1]):
        check()
        heard = np.zeros((high - low, speakers), np.float32)
        for row in rows:
            here, there = _overlap(grid.start[row] - low, activity.shape[1], high - low)
            for one in set(speaker[row].tolist()) - {NO_SPEAKER}:
                heard[here, one] += activity[row, there][:, speaker[row] == one].max(1)
        order = np.argsort(-heard, axis=1)  # of equals, pyannote's own choice
        for rank in range(int(count[low:high].max(initial=0))):
            frames = np.flatnonzero(count[low:high] > rank)
            together[low + frames, order[frames, rank]] = True
            if rank == 0:
                exclusive[low + frames, order[frames, rank]] = True
    return together, exclusive


def runs(active: Flags, grid: Grid, join_seconds: float = 0.0) -> list[Run]:
    """Runs of activity in time order, none beyond the end of the recording.

    A turn lasts from the middle of its first frame to the middle of the first that is silent; a
    pause of the same speaker shorter than `join_seconds` does not end it.
    """
    found: list[Run] = []
    for one in range(active.shape[1]):
        edges = np.flatnonzero(np.diff(active[:, one], prepend=False, append=False))
        times = np.minimum(grid.milliseconds(np.minimum(edges, len(active) - 1)), grid.end_ms)
        starts, ends = times[::2], times[1::2]
        apart = starts[1:] - ends[:-1] >= 1000 * join_seconds
        starts = starts[np.append([True], apart)] if len(starts) else starts
        ends = ends[np.append(apart, [True])] if len(ends) else ends
        both = zip(starts.tolist(), ends.tolist(), strict=True)
        found += [(low, high, one) for low, high in both if low < high]
    return sorted(found)


def _overlap(start: int, length: int, room: int) -> tuple[slice, slice]:
    """The part of a chunk in a slice of `room` frames, in slice and chunk coordinates."""
    low, high = max(0, start), min(start + length, room)
    return slice(low, high), slice(low - start, high - start)
