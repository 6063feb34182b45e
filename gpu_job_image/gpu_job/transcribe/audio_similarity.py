"""Acoustic similarity of spans of a window: repeated speech sounds alike, whoever says it.

Twelve voices that say "Yes." have a similarity of 0.84; a phrase that a model repeats while other
things are said has 0.0 to 0.3 (Whisper base; crowds, reversed speech, distant speech).
"""

import itertools
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..common.audio import SAMPLES_PER_MS, Samples

STEP_MS = 10
FRAME_MS = 25
BANDS = 8
LOW_HZ, HIGH_HZ = 200, 7_000  # the range of speech sounds
BINS = 512
POINTS = 16  # time steps to which spans of different lengths are resampled
SHIFTS_MS = (-120, -60, 0, 60, 120)  # word times are no more precise than that

Spectrum = npt.NDArray[np.float64]  # (steps, BANDS), in dB relative to the mean of the loud steps


class Likeness:
    """Compares spans of one window's audio."""

    def __init__(self, audio: Samples) -> None:
        self._audio = audio

    def alike(self, spans: Sequence[tuple[int, int]]) -> float:
        """The median correlation of each span (ms) with the previous one; 1 for fewer than two."""
        found = [
            max(_correlation(self._part(*one), self._part(low + by, high + by)) for by in SHIFTS_MS)
            for one, (low, high) in itertools.pairwise(spans)
        ]
        return float(np.median(found)) if found else 1.0

    def _part(self, start_ms: int, end_ms: int) -> Spectrum:
        """The spectrum between two times, in POINTS steps."""
        last = len(self._spectrum) - 1
        low = min(max(start_ms // STEP_MS, 0), last)
        high = min(max(end_ms // STEP_MS, low + 1), last)
        at = np.linspace(low, high, POINTS)
        steps = np.arange(len(self._spectrum))
        return np.stack([np.interp(at, steps, band) for band in self._spectrum.T], axis=1)

    @cached_property
    def _spectrum(self) -> Spectrum:
        step, frame = STEP_MS * SAMPLES_PER_MS, FRAME_MS * SAMPLES_PER_MS
        sound = np.pad(self._audio.astype(np.float64), (0, frame))
        frames = np.lib.stride_tricks.sliding_window_view(sound, frame)[::step]
        power = np.square(np.abs(np.fft.rfft(frames * np.hanning(frame), BINS)))
        edges = np.geomspace(LOW_HZ, HIGH_HZ, BANDS + 1) * BINS / (1000 * SAMPLES_PER_MS)
        bands = [
            power[:, int(low) : max(int(low) + 1, int(high))].mean(axis=1)
            for low, high in itertools.pairwise(edges)
        ]
        levels = 10 * np.log10(np.stack(bands, axis=1) + 1)
        loud = levels.mean(axis=1) >= np.median(levels.mean(axis=1))
        found: Spectrum = levels - levels[loud].mean(axis=0)
        return found


def _correlation(one: Spectrum, other: Spectrum) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt(np.square(one).sum() * np.square(other).sum()))
    return float((one * other).sum()) / size if size else 0.0
