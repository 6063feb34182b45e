"""Finds where to split a region that is too long for a window: at its quietest point."""

from collections.abc import Callable

import numpy as np

from ..common.audio import Samples, as_float, span

FRAME_MS = 50
Quietest = Callable[[int, int, int], int]  # (low ms, high ms, channel) -> ms between them


def quietest(samples: Samples) -> Quietest:
    """A function that finds the middle of the quietest 50 ms between two times of a channel."""

    def found(low_ms: int, high_ms: int, channel: int) -> int:
        heard = as_float(span(samples, low_ms, high_ms, channel))
        frames = heard[: len(heard) // (FRAME_MS * 16) * FRAME_MS * 16].reshape(-1, FRAME_MS * 16)
        if not len(frames):
            return (low_ms + high_ms) // 2
        return low_ms + int(np.argmin(np.square(frames).sum(axis=1))) * FRAME_MS + FRAME_MS // 2

    return found
