"""Decoded frames, gathered into chunks of about a second, and held to the container's clock.

A decoder gives frames of 10 to 50 ms; handing each to Python and to the resampler costs more than
the decoding. Frames are therefore laid end to end in a queue of ffmpeg's and taken out by the
second. What their timestamps say against the sum of their samples is judged as a chunk is taken
out (`timeline.py`): a hole is told before the frame that comes late, and a chunk that runs too fast
or too slow gets another sample rate, so that the resampler stretches it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from av import AudioFifo, AudioFrame

from pipelines.speech.audio_errors import Undecodable
from pipelines.speech.safe_open import AudioSource
from pipelines.speech.timeline import (
    LOST_SECONDS,
    CleanClock,
    Mark,
    judge_lags,
    stretch_of,
)

CHUNK_MS: Final = 1000
AHEAD_MS: Final = 500  # looked at before a chunk is judged: jitter is over by then, a loss is not
RATES_HZ: Final = range(1000, 768_001)  # others are damaged headers, and would fill the memory


@dataclass(frozen=True)
class Shape:
    """What must be alike for frames to share a queue or a resampler."""

    rate_hz: int
    format_name: str
    layout_name: str
    channels: int


class Hole(NamedTuple):
    """A stretch of the recording's clock without sound, and a frame of the same shape."""

    ms: float
    then: AudioFrame


def shape_of(frame: AudioFrame) -> Shape:
    """The shape of one frame."""
    layout = frame.layout
    return Shape(frame.sample_rate, frame.format.name, layout.name, layout.nb_channels)


class NativeFrames:
    """Joins frames into chunks of one shape each, and keeps them to the clock.

    Attributes:
        clock: The timestamps, without leaps that are no time; its `skipped_ms` were too long.
        stretched_ms: How much longer (or shorter, below 0) chunks were made, added up.
    """

    def __init__(self, source: AudioSource) -> None:
        stream, start = source.stream, source.container.start_time  # in microseconds
        self.clock = CleanClock(float(stream.time_base) if stream.time_base else 0.0)
        self.stretched_ms = 0.0
        # Where the queue begins, in seconds of the clock: first, where the earliest stream does.
        self._begins = None if start is None else start / 1e6
        self._lag = 0.0  # of the last frame taken out, in seconds
        self._fifo = AudioFifo()
        self._marks: list[Mark] = []  # of the frames in the queue
        self._shape: Shape | None = None
        self._chunk_samples = self._enough_samples = 0

    def push(self, frame: AudioFrame) -> Iterable[AudioFrame | Hole]:
        """Adds a frame; gives what is complete: nothing, mostly. Called 100 times a second."""
        shape = self._shape
        if (
            shape is None
            or frame.sample_rate != shape.rate_hz
            or frame.layout.name != shape.layout_name
        ):
            return self._push_other(frame)
        at = self.clock.read(frame.pts, frame.samples / shape.rate_hz)
        if at is not None:
            if self._begins is None:
                self._begins = at
            self._marks.append(Mark(self._fifo.samples, at))
        frame.pts = None  # the queue would insist on a gapless clock
        self._fifo.write(frame)
        return () if self._fifo.samples < self._enough_samples else self._take(self._chunk_samples)

    def drain(self) -> Iterator[AudioFrame | Hole]:
        """Takes out what is left, at the end or before frames of another shape."""
        while samples := self._fifo.samples:
            yield from self._take(min(samples, self._chunk_samples))

    def _push_other(self, frame: AudioFrame) -> Iterator[AudioFrame | Hole]:
        if frame.sample_rate not in RATES_HZ:
            raise Undecodable(f"a sample rate of {frame.sample_rate} Hz")
        yield from self.drain()
        self._shape = shape_of(frame)
        self._fifo = AudioFifo()
        self._chunk_samples = frame.sample_rate * CHUNK_MS // 1000
        self._enough_samples = frame.sample_rate * (CHUNK_MS + AHEAD_MS) // 1000
        yield from self.push(frame)

    def _take(self, samples: int) -> Iterator[AudioFrame | Hole]:
        """The first samples of the queue, with the holes in them."""
        rate_hz = self._shape.rate_hz if self._shape else 1
        begins = self._begins or 0.0
        judged = judge_lags(self._marks, begins, samples, rate_hz, self._lag)
        taken, lag, self._lag = 0, judged.lag, judged.last_lag
        if lag < -LOST_SECONDS:  # nothing catches up with that: a clock of something else
            begins, lag, self._lag = begins + lag, 0.0, self._lag - lag
        for hole in judged.gaps:
            if hole.offset > taken and (before := self._fifo.read(hole.offset - taken)):
                yield before
            taken = hole.offset
            begins += hole.seconds
            yield Hole(hole.seconds * 1000, self._then(rate_hz))
        if rest := self._fifo.read(samples - taken):
            stretch = 0.0 if judged.gaps else stretch_of(lag, rest.samples / rate_hz)
            longer = self._stretch(rest, stretch)
            begins, self._lag = begins + longer, self._lag - longer
            yield rest
        self._begins = begins + samples / rate_hz
        self._marks = [Mark(m.offset - samples, m.at) for m in self._marks if m.offset >= samples]

    def _stretch(self, chunk: AudioFrame, seconds: float) -> float:
        """Gives a chunk the sample rate at which it lasts so much longer; how much it really is."""
        if not seconds:
            return 0.0
        rate_hz, samples = chunk.sample_rate, chunk.samples
        chunk.sample_rate = round(samples / (samples / rate_hz + seconds))
        longer = samples / chunk.sample_rate - samples / rate_hz
        self.stretched_ms += longer * 1000
        return longer

    def _then(self, rate_hz: int) -> AudioFrame:
        shape = self._shape
        frame = AudioFrame(shape.format_name, shape.layout_name, 0) if shape else AudioFrame()
        frame.sample_rate = rate_hz
        return frame
