"""The sliding windows in which the models hear a recording, and their work in batches."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...audio import SAMPLE_RATE_HZ, SAMPLES_PER_MS, Samples
from ...contract import SpeechRegion
from ...errors import OutOfMemoryError, is_out_of_memory

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Chunks:
    """Windows of `size` samples every `step` samples, the last one filled up with silence.

    length: of the whole recording, in samples.
    total: windows of the whole recording.
    heard: the numbers of those that touch a region of speech, ascending. The others are skipped:
        of an hour with 20 minutes of speech in three stretches, two thirds of the time. Within
        the regions nothing changes by it, since every window that covers a moment of speech
        touches the region; around them, a moment is judged by the windows that were heard.
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

        Only so much of the recording is ever float32: of 8 h, the whole would take 1.84 GB.
        """
        out = np.zeros((len(numbers), 1, self.size), np.float32)
        for row, number in zip(out[:, 0], numbers, strict=True):
            piece = samples[0, number * self.step : number * self.step + self.size]
            np.multiply(piece, np.float32(1 / 32768), out=row[: len(piece)])
        return out


def in_batches(
    numbers: Indices, size: int, work: Callable[[Indices], Floats], check: Callable[[], None]
) -> list[Floats]:
    """`work` on `size` numbers at once, on half as many whenever memory runs out.

    Raises:
        OutOfMemoryError: not even one at a time fits.
    """
    results: list[Floats] = []
    done = 0
    while done < len(numbers):
        check()
        batch = numbers[done : done + size]
        result = _unless_too_much(work, batch)
        if result is None:  # here the error and the tensors that it held are gone
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
                "Diarization ran out of memory with a single window of audio; a card with more "
                "free memory is needed, or DEVICE=cpu."
            ) from error
        return None


def _release_memory() -> None:
    import torch  # noqa: PLC0415  # loaded already wherever there is work

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
