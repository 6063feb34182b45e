"""Encodes one piece of a recording as a file that every API takes: FLAC, which loses nothing."""

import io

import numpy as np

from ..common.audio import SAMPLE_RATE_HZ, Samples
from ..transcribe.batched_decoding import cut
from ..transcribe.windows import Window

FILE_NAME, MEDIA_TYPE = "audio.flac", "audio/flac"
MOST_BYTES_A_MS = 33  # 16 samples of 2 bytes, if nothing can be compressed, and the frames' heads
HEAD_BYTES = 10_000
_FRAME_SAMPLES = LEAST_SAMPLES = SAMPLE_RATE_HZ  # APIs refuse less than a tenth of a second


def flac_of(samples: Samples, window: Window) -> bytes:
    """The audio of a window as a FLAC file of 16 kHz, mono; silence follows less than a second."""
    import av  # noqa: PLC0415  # 0.2 s that `--help` need not pay

    sound = cut(samples, window)
    sound = np.pad(sound, (0, max(0, LEAST_SAMPLES - len(sound))))
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as made:
        stream = made.add_stream("flac", rate=SAMPLE_RATE_HZ, layout="mono")
        for begin in range(0, len(sound), _FRAME_SAMPLES):
            part = np.ascontiguousarray(sound[None, begin : begin + _FRAME_SAMPLES])
            frame = av.AudioFrame.from_ndarray(part, "s16", "mono")
            frame.sample_rate = SAMPLE_RATE_HZ
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return file.getvalue()


def longest_ms(seconds: float, most_bytes: int) -> int:
    """How long a piece may be, so that both limits hold however loud it is."""
    by_bytes = (most_bytes - HEAD_BYTES) // MOST_BYTES_A_MS
    return max(1_000, min(int(seconds * 1000), by_bytes))
