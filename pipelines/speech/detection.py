"""Finds speech in blocks as they are decoded, in a thread of its own.

The detector costs more than decoding and encoding together, and releases the GIL: with a core to
spare, 2 h take 20 s of wall time instead of 35 s; without one, nothing is lost (bench/audio.py).
"""

import threading
import time
from queue import Queue
from types import TracebackType
from typing import Final, Protocol, Self

import numpy as np
import numpy.typing as npt

from gpu_job.contract import SpeechRegion
from pipelines.speech.regions import RegionFinder, RegionOptions
from pipelines.speech.speech_level import LevelMeter, SpeechLevel

QUEUED_BLOCKS: Final = 8  # 8 s of sound, 256 KB: the decoder seldom waits, and memory is bounded


class SpeechStream(Protocol):
    """One channel of one recording, fed in order."""

    def feed(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
        """The speech probability of each 32 ms window that is complete with these samples."""

    def finish(self) -> npt.NDArray[np.float32]:
        """The same for the last window, filled up with silence."""


class SpeechDetector(Protocol):
    """A loaded model; may be shared by threads."""

    @property
    def version(self) -> str:
        """Names the model in fingerprints."""

    def stream(self) -> SpeechStream:
        """A fresh stream, for one channel of one recording."""


def speech_share(detector: SpeechDetector, samples: npt.NDArray[np.int16]) -> float:
    """How much of some samples of one channel is speech, 0 to 1."""
    stream = detector.stream()
    probabilities = np.concatenate([stream.feed(samples), stream.finish()])
    return float((probabilities >= RegionOptions().threshold).mean())


class SpeechFinder:
    """Finds the regions of all channels; a context manager, whose end is the thread's end.

    Attributes:
        busy_seconds: CPU seconds of the thread so far.
    """

    def __init__(self, detector: SpeechDetector, options: RegionOptions | None = None) -> None:
        self.busy_seconds = 0.0
        self._detector = detector
        self._options = options
        self._channels: list[tuple[SpeechStream, RegionFinder, LevelMeter]] = []
        self._queue: Queue[npt.NDArray[np.int16] | None] = Queue(QUEUED_BLOCKS)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="speech-detection", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def feed(self, block: npt.NDArray[np.int16]) -> None:
        """Hands over a block (samples, channels); waits while the thread is QUEUED_BLOCKS behind.

        Raises:
            Exception: Whatever the detector raised.
        """
        if self._error:
            raise self._error
        self._queue.put(block)

    def finish(self, audio_ms: int) -> tuple[SpeechRegion, ...]:
        """The regions of every channel, ordered by start and channel.

        Raises:
            Exception: Whatever the detector raised.
        """
        self._end()
        if self._error:
            raise self._error
        found = [
            region
            for channel, (_, finder, _) in enumerate(self._channels)
            for region in finder.finish(audio_ms, channel)
        ]
        return tuple(sorted(found, key=lambda region: (region.start_ms, region.channel)))

    @property
    def level(self) -> SpeechLevel:
        """Of the loudest channel, once it is finished; others may be of people who hardly speak."""
        levels = [meter.level for _, _, meter in self._channels]
        return max(levels, key=SpeechLevel.loudness, default=SpeechLevel(None, is_speech=False))

    def _end(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (block := self._queue.get()) is not None:
            if self._error is None:  # after one, blocks are thrown away: nobody may wait for ever
                self._guarded(block)
        self._guarded(None)

    def _guarded(self, block: npt.NDArray[np.int16] | None) -> None:
        try:
            self._listen(block)
        except Exception as error:  # noqa: BLE001 - raised again by feed and finish
            self._error = error
        self.busy_seconds = time.thread_time()

    def _listen(self, block: npt.NDArray[np.int16] | None) -> None:
        if block is None:
            for stream, finder, _ in self._channels:
                finder.feed(stream.finish().tolist())
            return
        while len(self._channels) < block.shape[1]:
            finder = RegionFinder(self._options)
            self._channels.append((self._detector.stream(), finder, LevelMeter()))
        for channel, (stream, finder, meter) in enumerate(self._channels):
            chances = stream.feed(block[:, channel])
            finder.feed(chances.tolist())
            meter.feed(block[:, channel], chances >= finder.threshold)
