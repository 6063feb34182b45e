"""Encodes blocks of 16 kHz samples as FLAC, or as Opus if FLAC exceeds the limit.

A worker downloads these files, so the limit is that of the worker. FLAC is lossless; Opus at 32 to
128 kbit/s keeps far more than a speech model can use at 16 kHz.
"""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, cast

import av
import numpy as np
import numpy.typing as npt
from av import AudioFrame

from .optimized_audio import Format

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

SAMPLE_RATE_HZ: Final = 16_000
# ffmpeg's default. On 2 h of speech, level 8 makes files 1 % smaller for 30 % more CPU; level 0
# makes them 6 % larger and takes longer, since its blocks are shorter.
FLAC_LEVEL: Final = 5
MIN_BITRATE: Final = 32_000
MAX_BITRATE: Final = 128_000
OGG_MARGIN: Final = 0.06  # page headers (2 % at 32 kbit/s) and variation of the encoder
# Layouts that a FLAC header can hold, so that readers keep the order; the names mean nothing here.
LAYOUTS: Final = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")

SUFFIXES: Final[dict[Format, str]] = {"flac": ".flac", "opus": ".opus"}


def bitrate_for(limit_bytes: int, seconds: float) -> int:
    """The highest Opus bitrate (bit/s) that keeps a recording below a size.

    It is between MIN_BITRATE and MAX_BITRATE; at MIN_BITRATE the file may still exceed the limit.
    """
    fitting = limit_bytes * 8 * (1 - OGG_MARGIN) / max(seconds, 1e-3)
    return max(MIN_BITRATE, min(MAX_BITRATE, int(fitting)))


class AudioWriter:
    """Writes int16 blocks of shape (samples, channels) at 16 kHz; a context manager.

    Attributes:
        written_bytes: Size of the encoded audio so far, without the container.
    """

    def __init__(self, path: Path, kind: Format, channels: int, bitrate: int = 0) -> None:
        """Creates the file with 1 to 8 channels; `bitrate` (bit/s of all channels) is for Opus."""
        self.written_bytes = 0
        self._samples = 0
        self._layout = LAYOUTS[channels - 1]
        # `file:`, so that no part of a folder name is parsed as a protocol
        self._container = av.open(f"file:{path}", "w", format="flac" if kind == "flac" else "ogg")
        codec = "flac" if kind == "flac" else "libopus"
        self._stream = cast(
            "AudioStream",
            self._container.add_stream(codec, rate=SAMPLE_RATE_HZ, layout=self._layout),
        )
        if kind == "flac":
            self._stream.format = "s16"
            self._stream.codec_context.options = {"compression_level": str(FLAC_LEVEL)}
        else:
            self._stream.bit_rate = bitrate
            self._stream.codec_context.options = _opus_options(channels)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._mux(None)
        self._container.close()

    def write(self, block: npt.NDArray[np.int16]) -> None:
        """Encodes one block."""
        frame = AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout=self._layout)
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, self._samples
        self._samples += len(block)
        self._mux(frame)

    def _mux(self, frame: AudioFrame | None) -> None:
        for packet in self._stream.encode(frame):
            self.written_bytes += packet.size
            self._container.mux(packet)


def _opus_options(channels: int) -> dict[str, str]:
    """Constrained VBR keeps to the limit; mapping family 255 keeps channels separate."""
    options = {"application": "voip", "vbr": "constrained"}
    return options if channels == 1 else {**options, "mapping_family": "255"}
