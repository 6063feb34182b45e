"""Where one voice gives way to another within a stretch that the segmentation takes for one's."""

import numpy as np

from ...audio import SAMPLE_RATE_HZ, Samples
from ..base import Check
from ..pyannote.chunks import Floats, Indices
from .fbank import fbank
from .grouping import Grouped
from .hearing import MEL_HZ, Heard, Pieces, voice_of
from .networks import Networks

LOOK_SECONDS = 1.0  # heard at once: half of a piece, so that a change is seen within both
LOOK_STEP_SECONDS = 0.2


def beginnings(
    networks: Networks,
    sound: tuple[Samples, list[Heard]],
    pieces: Pieces,
    found: Grouped,
    check: Check,
) -> Indices:
    """The frame of its window at which each piece begins (n,).

    That of a change of speakers lies in the middle of a pause, or is heard for where pieces of two
    follow one another without any.
    """
    samples, heard = sound
    begins = pieces.low.copy()
    same = (pieces.window[1:] == pieces.window[:-1]) & (pieces.speaker[1:] == pieces.speaker[:-1])
    for row in np.flatnonzero(same & (found.speaker[1:] != found.speaker[:-1])).tolist():
        begins[row + 1] = (pieces.high[row] + pieces.low[row + 1]) // 2
        if pieces.high[row] != pieces.low[row + 1]:
            continue
        check()
        part = heard[pieces.window[row]]
        hop = part.frame_samples / SAMPLE_RATE_HZ * MEL_HZ
        low, high = int(pieces.low[row]), int(pieces.high[row + 1])
        first, last = part.samples_of(low), part.samples_of(high) + 240
        mel = fbank(samples[0, first:last].astype(np.float32) / np.float32(32768))
        ours, theirs = found.centroids[found.speaker[[row, row + 1]]]
        at = _cut(networks, mel, ours - theirs)
        if at is not None:
            begins[row + 1] = low + round(at / hop)
    return begins


def _cut(networks: Networks, mel: Floats, towards: Floats) -> float | None:
    """The mel frame at which the voice turns; None where there is too little to tell."""
    width, step = round(LOOK_SECONDS * MEL_HZ), round(LOOK_STEP_SECONDS * MEL_HZ)
    starts = np.arange(0, len(mel) - width + 1, step)
    if len(starts) <= 1:
        return None
    gain = np.array([voice_of(networks, mel[at : at + width]) @ towards for at in starts])
    best = int(np.concatenate([[0.0], gain.cumsum()]).argmax())  # so many looks are before it
    return float(starts[0] + width / 2 + (best - 0.5) * step)
