"""Where somebody speaks in a window, by the speech detector that comes with faster-whisper."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..audio import SAMPLES_PER_MS, Samples, as_float

FRAME_SAMPLES = 512  # Silero v6 at 16 kHz: one probability each 32 ms
SPEECH = 0.5  # the detector's own threshold, the one that finds regions on the CPU beforehand
_AROUND_MS = 200  # the times of words are no better than that


class WindowHearing:
    """The speech in one window's audio, found when it is first asked for."""

    def __init__(self, audio: Samples) -> None:
        self._audio = audio

    def __call__(self, start_ms: int, end_ms: int) -> int:
        """Milliseconds of speech between two times of the window, and just around them."""
        frame_ms = FRAME_SAMPLES // SAMPLES_PER_MS
        low = max(0, start_ms - _AROUND_MS) // frame_ms
        high = -(-(end_ms + _AROUND_MS) // frame_ms)
        return int(np.count_nonzero(self._is_speech[low:high])) * frame_ms

    @cached_property
    def _is_speech(self) -> npt.NDArray[np.bool_]:
        from faster_whisper.vad import get_vad_model  # noqa: PLC0415  # 0.5 s, loaded already

        audio = as_float(self._audio)
        padded = np.pad(audio, (0, -len(audio) % FRAME_SAMPLES))
        return np.asarray(get_vad_model()(padded)).ravel() >= SPEECH
