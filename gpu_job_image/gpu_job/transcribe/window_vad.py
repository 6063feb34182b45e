"""Speech detection (VAD) in a window, with the detector of faster-whisper."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..common.audio import SAMPLES_PER_MS, Samples, as_float
from .audio_similarity import Likeness
from .loudness import Loudness

FRAME_SAMPLES = 512  # Silero v6 at 16 kHz: one probability per 32 ms
SPEECH = 0.5  # the detector's default, also used for the regions found beforehand on the CPU
_AROUND_MS = 200  # word times are no more precise than that


class WindowVad:
    """The speech and level of one window's audio, computed on first use."""

    def __init__(self, audio: Samples) -> None:
        self._audio = audio
        self._loudness = Loudness(audio)
        self._likeness = Likeness(audio)

    def __call__(self, start_ms: int, end_ms: int) -> int:
        """Milliseconds of speech between two times of the window, plus a margin around them."""
        frame_ms = FRAME_SAMPLES // SAMPLES_PER_MS
        low = max(0, start_ms - _AROUND_MS) // frame_ms
        high = -(-(end_ms + _AROUND_MS) // frame_ms)
        return int(np.count_nonzero(self._is_speech[low:high])) * frame_ms

    def sounds(self, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """The spans of detected speech between two times, in order."""
        frame_ms = FRAME_SAMPLES // SAMPLES_PER_MS
        edges = np.flatnonzero(np.diff(np.pad(self._is_speech, 1).astype(np.int8))) * frame_ms
        spans = [(max(low, start_ms), min(high, end_ms)) for low, high in edges.reshape(-1, 2)]
        return [(int(low), int(high)) for low, high in spans if low < high]

    @property
    def range_db(self) -> float:
        """Level difference of the window's loudest tenth and its noise floor, in dB."""
        return self._loudness.range_db

    def above_floor_db(self, start_ms: int, end_ms: int) -> float:
        """Level of the loudest tenth between two times above the noise floor, in dB."""
        return self._loudness.above_floor_db(start_ms, end_ms)

    def bursts(self, start_ms: int, end_ms: int) -> list[int]:
        """Times of the level peaks between two times, within detected speech."""
        found = self._loudness.bursts(start_ms, end_ms)
        return [at for at in found if self(at, at) >= FRAME_SAMPLES // SAMPLES_PER_MS]

    def alike(self, spans: Sequence[tuple[int, int]]) -> float:
        """Median similarity of each span to the previous one, up to 1."""
        return self._likeness.alike(spans)

    @cached_property
    def _is_speech(self) -> npt.NDArray[np.bool_]:
        from faster_whisper.vad import get_vad_model  # noqa: PLC0415  # 0.5 s, loaded already

        audio = as_float(self._audio)
        padded = np.pad(audio, (0, -len(audio) % FRAME_SAMPLES))
        return np.asarray(get_vad_model()(padded)).ravel() >= SPEECH
