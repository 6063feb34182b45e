"""Short-term level of a window: its noise floor, and the peaks above it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..common.audio import SAMPLES_PER_MS, Samples

STEP_MS = 10
FRAME_MS = 30  # averages over one or two periods of a low voice
FLOOR_PERCENTILE = 10  # pauses are at least a tenth of detected speech regions
DIP_DB = 6.0  # between two syllables; frames of steady noise stay within 5
BURST_DB = 10.0
SILENT_DB = -90.0  # below the last bit of 16, so that digital silence is not the floor


@dataclass(frozen=True)
class Loudness:
    """Levels of one window's audio, in dB relative to full scale."""

    audio: Samples

    @cached_property
    def frames_db(self) -> npt.NDArray[np.float64]:
        """RMS of each FRAME_MS, every STEP_MS."""
        step, frame = STEP_MS * SAMPLES_PER_MS, FRAME_MS * SAMPLES_PER_MS
        sound = np.pad(self.audio.astype(np.float64) / 32_768, (0, frame))
        power = np.concatenate([[0.0], np.cumsum(np.square(sound))])
        starts = np.arange(0, max(len(self.audio), 1), step)
        means = (power[starts + frame] - power[starts]) / frame
        found: npt.NDArray[np.float64] = 10 * np.log10(means + 10 ** (SILENT_DB / 10))
        return found

    @cached_property
    def floor_db(self) -> float:
        """The noise floor: the level when nobody speaks."""
        return float(np.percentile(self.frames_db, FLOOR_PERCENTILE))

    @cached_property
    def range_db(self) -> float:
        """From the noise floor to the loudest tenth: one voice has 15 or more, a crowd 3 to 8."""
        return float(np.percentile(self.frames_db, 100 - FLOOR_PERCENTILE)) - self.floor_db

    def above_floor_db(self, start_ms: int, end_ms: int) -> float:
        """Level of the loudest tenth between two times above the noise floor, in dB."""
        return float(np.percentile(self._between(start_ms, end_ms), 90)) - self.floor_db

    def _between(self, start_ms: int, end_ms: int) -> npt.NDArray[np.float64]:
        low = min(max(0, start_ms // STEP_MS), len(self.frames_db) - 1)
        return self.frames_db[low : max(low + 1, end_ms // STEP_MS)]

    def bursts(self, start_ms: int, end_ms: int) -> list[int]:
        """Times of level peaks (ms) between two times, separated by dips of DIP_DB.

        Only peaks BURST_DB above the noise floor count: the syllables of a voice reach that, the
        murmur of a crowd does not.
        """
        first = max(0, start_ms // STEP_MS)
        found: list[int] = []
        turn, place, rises = (
            -np.inf,
            first,
            True,
        )  # the last extreme, its index, and the direction to the next
        for i, level in enumerate(self._between(start_ms, end_ms), first):
            if (level > turn) == rises:
                turn, place = level, i
            elif abs(level - turn) >= DIP_DB:
                if rises:
                    found.append(place)
                turn, place, rises = level, i, not rises
        found += [place] if rises else []
        heights = ((i, self.frames_db[min(i, len(self.frames_db) - 1)]) for i in found)
        return [i * STEP_MS for i, height in heights if height >= self.floor_db + BURST_DB]
