"""Writes audio as media files of the kinds people have, with PyAV."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer

from demo.training.espeak import SAMPLE_RATE
from demo.training.spectrogram import Floats

PICTURES_PER_SECOND = 5


@dataclass(frozen=True)
class Format:
    """A file's suffix, its codec, and how its audio is laid out."""

    suffix: str
    codec: str
    rate: int
    layout: str

    @property
    def bits_per_second(self) -> int:
        """64 kbit/s for one channel, 96 for two."""
        return 64_000 if self.layout == "mono" else 96_000


def _write_black_video(out: OutputContainer, seconds: float) -> None:
    video = out.add_stream("libx264", rate=PICTURES_PER_SECOND)
    video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
    black = np.zeros((180, 320, 3), np.uint8)
    for i in range(int(seconds * PICTURES_PER_SECOND) + 1):
        picture = av.VideoFrame.from_ndarray(black, format="rgb24")
        picture.pts = i
        out.mux(video.encode(picture))
    out.mux(video.encode(None))


def _frame(audio: Floats) -> av.AudioFrame:
    samples = (np.clip(audio, -1, 1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE, 0
    return frame


def write_media(path: Path, audio: Floats, kind: Format) -> None:
    """Write mono 16 kHz audio in the format's rate and layout; .mp4 gets a black picture too."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(kind.codec, rate=kind.rate, layout=kind.layout)
        stream.bit_rate = kind.bits_per_second
        if kind.suffix == ".mp4":
            _write_black_video(out, len(audio) / SAMPLE_RATE)
        resampler = av.AudioResampler(
            format=stream.format,
            layout=kind.layout,
            rate=kind.rate,
            frame_size=stream.frame_size or None,
        )
        for frame in [*resampler.resample(_frame(audio)), *resampler.resample(None)]:
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
