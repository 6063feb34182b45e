"""Joins decoded frames into chunks of about a second, in time with the container's clock.

A decoder gives frames of 10 to 50 ms, and passing each through Python and the resampler costs more
than decoding. Frames are therefore queued in ffmpeg and taken out by the second. When a chunk is
taken out, `container_clock.py` compares timestamps with the number of samples: a gap is reported
before the late frame, and a chunk that is too fast or too slow gets another sample rate, so that
the resampler stretches it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from av import AudioFifo, AudioFrame

from .audio_errors import Undecodable
from .audio_format import MOST_HZ, check_format
from .container_clock import (
    LOST_SECONDS,
    CleanClock,
    FrameMark,
    judge_lags,
    most_silence,
    stretch_of,
)
from .open_audio import AudioSource

CHUNK_MS: Final = 1000
AHEAD_MS: Final = 500  # lookahead for judging a chunk: jitter ends within it, a loss does not
RATES_HZ: Final = range(1000, MOST_HZ + 1)  # others come from damaged headers


@dataclass(frozen=True)
class FrameShape:
    """What frames must have in common to share a queue or a resampler."""

    rate_hz: int
    format_name: str
    layout_name: str
    channels: int


class MissingAudio(NamedTuple):
    """A gap in the audio, and an empty frame of the shape that follows."""

    ms: float
    then: AudioFrame


def shape_of(frame: AudioFrame) -> FrameShape:
    """The shape of one frame."""
    layout = frame.layout
    return FrameShape(frame.sample_rate, frame.format.name, layout.name, layout.nb_channels)


class NativeFrames:
    """Joins frames into chunks of one shape each, in time with the clock.

    Attributes:
        clock: The timestamps, without invalid jumps; `skipped_ms` is the length of these.
        stretched_ms: How much longer (below 0: shorter) all chunks became together.
    """

    def __init__(self, source: AudioSource) -> None:
        stream, start = source.stream, source.container.start_time  # in microseconds
        tick_seconds = float(stream.time_base) if stream.time_base else 0.0
        self.clock = CleanClock(tick_seconds, most_silence(source.size_bytes))
        self.stretched_ms = 0.0
        # start of the queue, in seconds of the clock; at first, the start of the earliest stream
        self._begins = None if start is None else start / 1e6
        self._lag = 0.0  # of the last frame taken out, in seconds
        self._fifo = AudioFifo()
        self._marks: list[FrameMark] = []  # of the frames in the queue
        self._shape: FrameShape | None = None
        self._chunk_samples = self._enough_samples = 0

    def push(self, frame: AudioFrame) -> Iterable[AudioFrame | MissingAudio]:
        """Adds a frame; returns complete chunks, mostly none. Called 100 times per second."""
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
            self._marks.append(FrameMark(self._fifo.samples, at))
        frame.pts = None  # the queue would require timestamps without gaps
        self._fifo.write(frame)
        return () if self._fifo.samples < self._enough_samples else self._take(self._chunk_samples)

    def drain(self) -> Iterator[AudioFrame | MissingAudio]:
        """Takes out the rest, at the end or before frames of another shape."""
        while samples := self._fifo.samples:
            yield from self._take(min(samples, self._chunk_samples))

    def _push_other(self, frame: AudioFrame) -> Iterator[AudioFrame | MissingAudio]:
        if frame.sample_rate not in RATES_HZ:
            raise Undecodable(f"the sample rate of {frame.sample_rate} Hz is invalid")
        check_format(frame.sample_rate, frame.layout.nb_channels)
        yield from self.drain()
        self._shape = shape_of(frame)
        self._fifo = AudioFifo()
        self._chunk_samples = frame.sample_rate * CHUNK_MS // 1000
        self._enough_samples = frame.sample_rate * (CHUNK_MS + AHEAD_MS) // 1000
        yield from self.push(frame)

    def _take(self, samples: int) -> Iterator[AudioFrame | MissingAudio]:
        """The first samples of the queue, with the gaps between them."""
        rate_hz = self._shape.rate_hz if self._shape else 1
        begins = self._begins or 0.0
        judged = judge_lags(self._marks, begins, samples, rate_hz, self._lag)
        taken, lag, self._lag = 0, judged.lag, judged.last_lag
        if (
            lag < -LOST_SECONDS
        ):  # stretching cannot correct that: the clock belongs to something else
            begins, lag, self._lag = begins + lag, 0.0, self._lag - lag
        for gap in judged.gaps:
            if gap.offset > taken and (before := self._fifo.read(gap.offset - taken)):
                yield before
            taken = gap.offset
            begins += gap.seconds
            yield MissingAudio(gap.seconds * 1000, self._then(rate_hz))
        if rest := self._fifo.read(samples - taken):
            stretch = 0.0 if judged.gaps else stretch_of(lag, rest.samples / rate_hz)
            longer = self._stretch(rest, stretch)
            begins, self._lag = begins + longer, self._lag - longer
            yield rest
        self._begins = begins + samples / rate_hz
        self._marks = [
            FrameMark(m.offset - samples, m.at) for m in self._marks if m.offset >= samples
        ]

    def _stretch(self, chunk: AudioFrame, seconds: float) -> float:
        """Sets the sample rate that makes a chunk that much longer; returns the difference."""
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
