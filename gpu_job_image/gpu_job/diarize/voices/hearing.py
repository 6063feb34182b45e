"""What the two networks hear in each window: who of three speaks when, and with which voice."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ...audio import Samples
from ..base import Check
from ..pyannote.chunks import Chunks, Floats, Indices
from .fbank import fbank
from .networks import Networks

Activity: TypeAlias = npt.NDArray[np.uint8]
Flags: TypeAlias = npt.NDArray[np.bool_]

WINDOW_SECONDS = 10.0  # what segmentation-3.0 was trained on
# nobody; each of three; each two of them
POWERSET = np.array(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], np.uint8
)
DIMENSION = 192
MEL_HZ = 100
LEAST_SECONDS = 0.3  # of a voice; less says nothing of whose it is
MOST_SECONDS = 3.0  # more says little that is new, and costs as much again


@dataclass(frozen=True)
class Voices:
    """One vector for each speaker of each window who says enough in it, in time order.

    window, speaker: the row and the column of `Activity` (n,).
    vectors: of unit length (n, 192).
    alone_seconds: in which nobody else was heard (n,).
    """

    window: Indices
    speaker: Indices
    vectors: Floats
    alone_seconds: npt.NDArray[np.float64]


def hear_activity(networks: Networks, samples: Samples, chunks: Chunks, check: Check) -> Activity:
    """1 where a speaker of a window is active, else 0: (windows heard, frames, 3).

    A speaker's column means nothing beyond its window. One window at a time: on a CPU more at once
    are slower.
    """
    rows = []
    for number in chunks.heard:
        check()
        waveform = chunks.waveforms(samples, np.array([number]))
        rows.append(POWERSET[networks.segmentation.run(None, {"waveform": waveform})[0].argmax(2)])
    return np.concatenate(rows)


def hear_voices(
    networks: Networks, samples: Samples, chunks: Chunks, activity: Activity, check: Check
) -> Voices:
    """The voice of each who speaks: alone, where that is enough, else together with another."""
    found = []
    for row in np.flatnonzero(activity.any((1, 2))):
        check()
        mel = fbank(chunks.waveforms(samples, chunks.heard[row : row + 1])[0, 0])
        frame = np.arange(len(mel)) * activity.shape[1] / (WINDOW_SECONDS * MEL_HZ)
        active = activity[row, frame.astype(np.intp)].astype(bool)
        alone = active & (active.sum(1, keepdims=True) == 1)
        for speaker in np.flatnonzero(active.any(0)):
            seconds = alone[:, speaker].sum() / MEL_HZ
            chosen = (alone if seconds >= LEAST_SECONDS else active)[:, speaker]
            if chosen.sum() >= LEAST_SECONDS * MEL_HZ:
                cut = mel[_longest(chosen, round(MOST_SECONDS * MEL_HZ))]
                found.append((row, speaker, _voice(networks, cut), seconds))
    if not found:
        none = np.zeros(0, np.intp)
        return Voices(none, none, np.zeros((0, DIMENSION), np.float32), np.zeros(0))
    window, speaker, vectors, alone_seconds = zip(*found, strict=True)
    return Voices(np.array(window), np.array(speaker), np.stack(vectors), np.array(alone_seconds))


def _voice(networks: Networks, mel: Floats) -> Floats:
    vector: Floats = networks.voiceprint.run(None, {"mel": (mel - mel.mean(0))[None]})[0][0]
    return vector / np.linalg.norm(vector)


def _longest(chosen: Flags, most: int) -> Indices:
    """The frames of the longest runs, at most `most` of them, in time order."""
    edges = np.flatnonzero(np.diff(chosen, prepend=False, append=False))
    runs = sorted(zip(edges[::2], edges[1::2], strict=True), key=lambda run: run[0] - run[1])
    frames: list[int] = []
    for start, end in runs:
        frames += range(start, min(end, start + most - len(frames)))
    return np.sort(np.array(frames))
