"""Silero's speech detection (VAD) on the CPU, one block of samples at a time.

The model (MIT, https://github.com/snakers4/silero-vad) is the file that faster-whisper ships. It is
found without importing faster-whisper, which takes a second and 100 MB. One hour of audio takes
about 7 s of one core.
"""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from escriba.errors import EscribaError

VAD_VERSION: Final = "silero-v6"  # part of fingerprints: another model finds other regions
MODEL_FILE: Final = "silero_vad_v6.onnx"
WINDOW_SAMPLES: Final = 512  # 32 ms at 16 kHz
CONTEXT_SAMPLES: Final = 64  # of the previous window, prepended to each
STATE_SHAPE: Final = (1, 1, 128)

Probabilities = npt.NDArray[np.float32]


class DetectorMissingError(EscribaError, RuntimeError):
    """The model file is not installed."""


class SileroDetector:
    """Loads the model once; its session serves any number of streams and threads concurrently."""

    version: Final = VAD_VERSION

    def __init__(self, model: Path | None = None) -> None:
        """Loads `model`, by default the file inside the installed faster-whisper.

        Raises:
            DetectorMissingError: There is no such file.
        """
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it is read by the import
        from onnxruntime import (  # noqa: PLC0415 - importing this module loads nothing
            InferenceSession,
            SessionOptions,
        )

        options = SessionOptions()
        options.intra_op_num_threads = 1  # windows follow one another: more threads only wait
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # 6 % faster without, and less memory
        options.log_severity_level = 3
        path = model or bundled_model()
        self._session = InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def stream(self) -> "SileroStream":
        """A fresh stream, for one channel of one recording."""
        return SileroStream(self._session)


class SileroStream:
    """One channel of one recording; carries the model's state from block to block."""

    def __init__(self, session: Any) -> None:  # noqa: ANN401 - onnxruntime has no types
        self._session = session
        self._h = np.zeros(STATE_SHAPE, np.float32)
        self._c = np.zeros(STATE_SHAPE, np.float32)
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)
        self._rest = np.zeros(0, np.float32)

    def feed(self, samples: npt.NDArray[np.int16]) -> Probabilities:
        """One speech probability for each window that these samples complete."""
        sound = np.concatenate([self._rest, samples.astype(np.float32) / 32_768])
        whole = len(sound) - len(sound) % WINDOW_SAMPLES
        self._rest = sound[whole:]
        if not whole:
            return np.zeros(0, np.float32)
        sound = np.concatenate([self._context, sound[:whole]])
        self._context = sound[-CONTEXT_SAMPLES:]
        windows = np.lib.stride_tricks.sliding_window_view(sound, CONTEXT_SAMPLES + WINDOW_SAMPLES)
        inputs = {"input": windows[::WINDOW_SAMPLES], "h": self._h, "c": self._c}
        found, self._h, self._c = self._session.run(None, inputs)
        return np.asarray(found, np.float32)

    def finish(self) -> Probabilities:
        """The probability of the last window, padded with silence."""
        missing = WINDOW_SAMPLES - len(self._rest)
        return self.feed(np.zeros(missing, np.int16))


def bundled_model() -> Path:
    """The model file inside the installed faster-whisper.

    Raises:
        DetectorMissingError: faster-whisper is not installed, or no longer brings this file.
    """
    spec = find_spec("faster_whisper")
    if spec is None or spec.origin is None:
        raise DetectorMissingError("faster-whisper is not installed. Run `make setup`.")
    path = Path(spec.origin).parent / "assets" / MODEL_FILE
    if not path.is_file():
        raise DetectorMissingError(
            f"faster-whisper is installed without {MODEL_FILE}. Install version 1.2."
        )
    return path
