"""Finds changes of speaker within spans that the segmentation assigns to one speaker."""

import numpy as np

from ...common.audio import SAMPLE_RATE_HZ, Samples
from ..base import Check
from ..chunks import Floats, Indices
from .clustering import Grouped
from .fbank import fbank
from .inference import MEL_HZ, Heard, Pieces, voice_of
from .networks import Networks

LOOK_SECONDS = 1.0  # shorter than a piece, so that a change is visible in both
LOOK_STEP_SECONDS = 0.2


def beginnings(
    networks: Networks,
    sound: tuple[Samples, list[Heard]],
    pieces: Pieces,
    found: Grouped,
    check: Check,
) -> Indices:
    """The first frame of each piece in its window (n,).

    A change of speakers is placed in the middle of a pause; without a pause, it is located by the
    voice embeddings.
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
    """The mel frame at which the voice changes; None if the audio is too short."""
    width, step = round(LOOK_SECONDS * MEL_HZ), round(LOOK_STEP_SECONDS * MEL_HZ)
    starts = np.arange(0, len(mel) - width + 1, step)
    if len(starts) <= 1:
        return None
    gain = np.array([voice_of(networks, mel[at : at + width]) @ towards for at in starts])
    best = int(np.concatenate([[0.0], gain.cumsum()]).argmax())  # number of spans before the change
    return float(starts[0] + width / 2 + (best - 0.5) * step)
