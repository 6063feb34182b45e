"""Where a stretch that is too long for a window is cut best: where it is quietest."""

from collections.abc import Callable

import numpy as np

from ..audio import Samples, as_float, span

FRAME_MS = 50
Quietest = Callable[[int, int, int], int]  # (low ms, high ms, channel) -> ms between them


def quietest(samples: Samples) -> Quietest:
    """The middle of the quietest 50 ms between two times of a channel."""

    def found(low_ms: int, high_ms: int, channel: int) -> int:
        heard = as_float(span(samples, low_ms, high_ms, channel))
        frames = heard[: len(heard) // (FRAME_MS * 16) * FRAME_MS * 16].reshape(-1, FRAME_MS * 16)
        if not len(frames):
            return (low_ms + high_ms) // 2
        return low_ms + int(np.argmin(np.square(frames).sum(axis=1))) * FRAME_MS + FRAME_MS // 2

    return found
