"""Decoded frames, gathered into chunks of a second, with holes told where the timestamps leap.

A decoder gives frames of 10 to 50 ms; handing each to Python and to the resampler costs more than
the decoding. Frames are therefore laid end to end in a queue of ffmpeg's and taken out by the
second. Their timestamps serve for one thing: a leap forward of GAP_MS or more (a sound that starts
later than its picture, packets lost by a recorder) is told as a hole, which becomes silence, so
that times in the transcript stay those that a player shows. Leaps backward are ignored, and so are
those that would bring the silence past MAX_HOLES_MS: a broken clock, or a file made to fill disks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from av import AudioFifo, AudioFrame

from pipelines.speech.audio_errors import Undecodable
from pipelines.speech.safe_open import AudioSource

CHUNK_MS: Final = 1000
RATES_HZ: Final = range(1000, 768_001)  # others are damaged headers, and would fill the memory
GAP_MS: Final = 500  # clocks of ASF, FLV and AVI jitter below this
MAX_HOLES_MS: Final = 4 * 3_600_000  # in all; silence costs the detector 7 s of CPU an hour


@dataclass(frozen=True)
class Shape:
    """What must be alike for frames to share a queue or a resampler."""

    rate_hz: int
    format_name: str
    layout_name: str
    channels: int


class Hole(NamedTuple):
    """A stretch of the recording's clock without sound, and the frame that follows it."""

    ms: int
    then: AudioFrame


def shape_of(frame: AudioFrame) -> Shape:
    """The shape of one frame."""
    layout = frame.layout
    return Shape(frame.sample_rate, frame.format.name, layout.name, layout.nb_channels)


class NativeFrames:
    """Joins frames into chunks of one shape each, and finds the holes between them.

    Attributes:
        holes_ms: Length of the holes told so far.
        skipped_ms: Length of the leaps ignored so far for being too long.
    """

    def __init__(self, source: AudioSource) -> None:
        stream = source.stream
        self.holes_ms = self.skipped_ms = 0
        self._ticks_a_second = float(1 / stream.time_base) if stream.time_base else 0.0
        self._gap_ticks = max(1.0, self._ticks_a_second * GAP_MS / 1000)
        start = source.container.start_time  # in microseconds, of the earliest stream
        self._expected: float | None = None if start is None else start * self._ticks_a_second / 1e6
        self._fifo = AudioFifo()
        self._shape: Shape | None = None
        self._chunk_samples = 0
        self._ticks_a_sample = 0.0

    def push(self, frame: AudioFrame) -> Iterable[AudioFrame | Hole]:
        """Adds a frame; gives what is complete: nothing, mostly. Called 100 times a second."""
        shape, pts, expected = self._shape, frame.pts, self._expected
        if (
            shape is None
            or frame.sample_rate != shape.rate_hz
            or frame.layout.name != shape.layout_name
        ):
            return self._push_other(frame)
        if pts is not None:
            if expected is not None and pts - expected >= self._gap_ticks:
                return self._push_late(frame, pts - expected)
            self._expected = pts + frame.samples * self._ticks_a_sample
        return self._store(frame)

    def drain(self) -> Iterator[AudioFrame]:
        """Takes out what is left, at the end or before frames of another shape."""
        rest = self._fifo.read()
        if rest is not None:
            yield rest

    def _push_other(self, frame: AudioFrame) -> Iterator[AudioFrame | Hole]:
        if frame.sample_rate not in RATES_HZ:
            raise Undecodable(f"a sample rate of {frame.sample_rate} Hz")
        yield from self.drain()
        self._shape = shape_of(frame)
        self._fifo = AudioFifo()
        self._chunk_samples = frame.sample_rate * CHUNK_MS // 1000
        self._ticks_a_sample = self._ticks_a_second / frame.sample_rate
        yield from self.push(frame)

    def _push_late(self, frame: AudioFrame, gap_ticks: float) -> Iterator[AudioFrame | Hole]:
        gap_ms = round(gap_ticks * 1000 / self._ticks_a_second)
        if self.holes_ms + gap_ms <= MAX_HOLES_MS:
            self.holes_ms += gap_ms
            yield from self.drain()
            yield Hole(gap_ms, frame)
        else:
            self.skipped_ms += gap_ms
        self._expected = None
        yield from self.push(frame)

    def _store(self, frame: AudioFrame) -> tuple[AudioFrame, ...]:
        frame.pts = None  # the queue would insist on a gapless clock
        self._fifo.write(frame)
        if self._fifo.samples < self._chunk_samples:
            return ()
        chunk = self._fifo.read()
        return (chunk,) if chunk else ()
