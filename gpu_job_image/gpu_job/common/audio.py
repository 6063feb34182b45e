"""The optimized audio of a job, decoded once and shared by transcription and diarization."""

import hashlib
import itertools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000
SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000

IN_MEMORY_BYTES = 1 << 30  # 9 h of one channel
_TOLERANCE_MS = 500  # an Opus file ends on a frame boundary

Samples = npt.NDArray[np.int16]
NO_SAMPLES: Samples = np.empty((1, 0), np.int16)


class AudioUnreadableError(Exception):
    """The audio could not be decoded."""


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 digest of a file, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def decode(
    path: Path, channels: int, expected_ms: int, check: Callable[[], None] = lambda: None
) -> Samples:
    """All samples, int16 of shape (channels, n) at 16 kHz: 8 h of one channel take 0.92 GB.

    `check` is called between frames; its exceptions propagate.

    Raises:
        AudioUnreadableError: not decodable, or shorter than `expected_ms`, which an optimized
            file never is unless it is damaged.
    """
    import av  # noqa: PLC0415  # 0.2 s that `--help` need not pay

    layout = "mono" if channels == 1 else None  # None: keep the recorded channels
    samples = _room((channels, (expected_ms + 1000) * SAMPLES_PER_MS))
    filled = 0
    try:
        with av.open(str(path)) as container:
            resampler = av.AudioResampler(format="s16", layout=layout, rate=SAMPLE_RATE_HZ)
            for frame in itertools.chain(container.decode(audio=0), (None,)):
                check()
                for block in resampler.resample(frame):
                    # packed: to_ndarray of 8 planes ends the process (PyAV 18.1)
                    data = block.to_ndarray().reshape(block.samples, -1).T
                    room = samples.shape[1] - filled
                    samples[:, filled : filled + data.shape[1]] = data[:, :room]
                    filled += min(data.shape[1], room)
    except (av.error.FFmpegError, StopIteration, IndexError) as error:
        raise AudioUnreadableError(f"{type(error).__name__}: {error}") from error
    if filled < (expected_ms - _TOLERANCE_MS) * SAMPLES_PER_MS:
        raise AudioUnreadableError(
            f"only {filled / SAMPLE_RATE_HZ:.1f} s of {expected_ms / 1000:.1f} s could be decoded"
        )
    return samples[:, :filled]


def _room(shape: tuple[int, int]) -> Samples:
    """An uninitialized array; above IN_MEMORY_BYTES in an unnamed file that can be paged out.

    Many channels of a day take 22 GB. The file disappears with the process, however that ends.
    """
    if shape[0] * shape[1] * np.dtype(np.int16).itemsize <= IN_MEMORY_BYTES:
        return np.empty(shape, np.int16)
    with tempfile.TemporaryFile(prefix="gpu-job-") as file:
        _reserve(file.fileno(), shape[0] * shape[1] * np.dtype(np.int16).itemsize)
        return np.memmap(file, np.int16, "w+", shape=shape)


def _reserve(file: int, size_bytes: int) -> None:
    """Reserve the space: a full disk raises here and does not end the process later (SIGBUS)."""
    reserve = getattr(os, "posix_fallocate", None)  # not on macOS
    if reserve is not None:
        reserve(file, 0, size_bytes)


def span(samples: Samples, start_ms: int, end_ms: int, channel: int = 0) -> Samples:
    """A view of one channel between two times."""
    return samples[channel, start_ms * SAMPLES_PER_MS : end_ms * SAMPLES_PER_MS]


def as_float(samples: Samples) -> npt.NDArray[np.float32]:
    """int16 to float32 in [-1, 1)."""
    return samples.astype(np.float32) / np.float32(32768)
