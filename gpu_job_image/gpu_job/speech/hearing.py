"""Where somebody speaks in a window, by the speech detector that comes with faster-whisper."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..audio import SAMPLES_PER_MS, Samples, as_float
from .likeness import Likeness
from .loudness import Loudness

FRAME_SAMPLES = 512  # Silero v6 at 16 kHz: one probability each 32 ms
SPEECH = 0.5  # the detector's own threshold, the one that finds regions on the CPU beforehand
_AROUND_MS = 200  # the times of words are no better than that


class WindowHearing:
    """The speech in one window's audio, and how loud it is; found when it is first asked for."""

    def __init__(self, audio: Samples) -> None:
        self._audio = audio
        self._loudness = Loudness(audio)
        self._likeness = Likeness(audio)

    def __call__(self, start_ms: int, end_ms: int) -> int:
        """Milliseconds of speech between two times of the window, and just around them."""
        frame_ms = FRAME_SAMPLES // SAMPLES_PER_MS
        low = max(0, start_ms - _AROUND_MS) // frame_ms
        high = -(-(end_ms + _AROUND_MS) // frame_ms)
        return int(np.count_nonzero(self._is_speech[low:high])) * frame_ms

    def sounds(self, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """The stretches between two times in which the detector hears somebody, in order."""
        frame_ms = FRAME_SAMPLES // SAMPLES_PER_MS
        edges = np.flatnonzero(np.diff(np.pad(self._is_speech, 1).astype(np.int8))) * frame_ms
        spans = [(max(low, start_ms), min(high, end_ms)) for low, high in edges.reshape(-1, 2)]
        return [(int(low), int(high)) for low, high in spans if low < high]

    @property
    def range_db(self) -> float:
        """From the floor of the window to its loud tenth."""
        return self._loudness.range_db

    def above_floor_db(self, start_ms: int, end_ms: int) -> float:
        """How far the loud tenth between two times rises above the floor."""
        return self._loudness.above_floor_db(start_ms, end_ms)

    def bursts(self, start_ms: int, end_ms: int) -> list[int]:
        """The loud moments between two times, where the detector hears somebody."""
        found = self._loudness.bursts(start_ms, end_ms)
        return [at for at in found if self(at, at) >= FRAME_SAMPLES // SAMPLES_PER_MS]

    def alike(self, spans: Sequence[tuple[int, int]]) -> float:
        """How much each of the stretches is like the one before, up to 1."""
        return self._likeness.alike(spans)

    @cached_property
    def _is_speech(self) -> npt.NDArray[np.bool_]:
        from faster_whisper.vad import get_vad_model  # noqa: PLC0415  # 0.5 s, loaded already

        audio = as_float(self._audio)
        padded = np.pad(audio, (0, -len(audio) % FRAME_SAMPLES))
        return np.asarray(get_vad_model()(padded)).ravel() >= SPEECH
