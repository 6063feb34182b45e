"""Sliding windows over a recording, processed in batches."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..common.audio import SAMPLE_RATE_HZ, SAMPLES_PER_MS, Samples
from ..common.errors import OutOfMemoryError, is_out_of_memory
from ..contract import SpeechRegion

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Chunks:
    """Windows of `size` samples every `step` samples; the last one is padded with silence.

    length: of the whole recording, in samples.
    total: windows of the whole recording.
    heard: the indices of windows that touch speech, ascending. Skipping the others saves two
        thirds of the time for an hour with 20 minutes of speech in three stretches. Results within
        the regions do not change, since every window over speech touches the region; around
        them, only the windows in `heard` count.
    """

    length: int
    total: int
    heard: Indices
    size: int
    step: int

    @classmethod
    def over(
        cls, length: int, regions: tuple[SpeechRegion, ...], seconds: float, step_seconds: float
    ) -> "Chunks":
        """The windows over a recording of `length` samples."""
        size, step = round(seconds * SAMPLE_RATE_HZ), round(step_seconds * SAMPLE_RATE_HZ)
        total = 1 + max(0, -(-(length - size) // step))
        speech = np.zeros(total, bool)
        for region in regions:
            low, high = region.start_ms * SAMPLES_PER_MS, region.end_ms * SAMPLES_PER_MS
            if low < min(high, length):
                speech[max(0, (low - size) // step + 1) : -(-high // step)] = True
        return cls(length, total, np.flatnonzero(speech), size, step)

    def waveforms(self, samples: Samples, numbers: Indices) -> Floats:
        """The first channel in these windows, (len(numbers), 1, size) in -1…1.

        Only these windows are converted to float32: all of 8 h would take 1.84 GB.
        """
        out = np.zeros((len(numbers), 1, self.size), np.float32)
        for row, number in zip(out[:, 0], numbers, strict=True):
            piece = samples[0, number * self.step : number * self.step + self.size]
            np.multiply(piece, np.float32(1 / 32768), out=row[: len(piece)])
        return out


def in_batches(
    numbers: Indices, size: int, work: Callable[[Indices], Floats], check: Callable[[], None]
) -> list[Floats]:
    """Apply `work` to `size` window numbers at a time; halve the size when memory runs out.

    Raises:
        OutOfMemoryError: not even one at a time fits.
    """
    results: list[Floats] = []
    done = 0
    while done < len(numbers):
        check()
        batch = numbers[done : done + size]
        result = _unless_too_much(work, batch)
        if result is None:  # here the exception and its tensors are freed
            size = len(batch) // 2
            _release_memory()
        else:
            results.append(result)
            done += len(batch)
    return results


def _unless_too_much(work: Callable[[Indices], Floats], batch: Indices) -> Floats | None:
    try:
        return work(batch)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        if len(batch) == 1:
            raise OutOfMemoryError(
                "Diarization ran out of memory with a single window of audio. Use a GPU with more "
                "free memory, or set DEVICE=cpu."
            ) from error
        return None


def _release_memory() -> None:
    import torch  # noqa: PLC0415  # already loaded by the models

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
