"""Detects speech in blocks while they are decoded, in a separate thread.

The detector costs more than decoding and encoding together, and releases the GIL: with a spare
core, 2 h take 20 s of wall time instead of 35 s; without one, nothing is lost (bench/audio.py).
"""

import threading
import time
from queue import Queue
from types import TracebackType
from typing import Final, Protocol, Self

import numpy as np
import numpy.typing as npt

from gpu_job.contract import SpeechRegion

from .speech_level import LevelMeter, SpeechLevel
from .speech_regions import RegionFinder, RegionOptions

QUEUED_BLOCKS: Final = 8  # 8 s of audio, 256 KB: the decoder seldom waits, and memory is bounded


class SpeechStream(Protocol):
    """One channel of one recording, fed in order."""

    def feed(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
        """The speech probability of each 32 ms window that these samples complete."""

    def finish(self) -> npt.NDArray[np.float32]:
        """The probability of the last window, padded with silence."""


class SpeechDetector(Protocol):
    """A loaded model; threads may share it."""

    @property
    def version(self) -> str:
        """Name of the model for fingerprints."""

    def stream(self) -> SpeechStream:
        """A new stream for one channel of one recording."""


def speech_share(detector: SpeechDetector, samples: npt.NDArray[np.int16]) -> float:
    """The share of speech in samples of one channel, 0 to 1."""
    stream = detector.stream()
    probabilities = np.concatenate([stream.feed(samples), stream.finish()])
    return float((probabilities >= RegionOptions().threshold).mean())


class SpeechFinder:
    """Finds the regions of all channels; a context manager that runs and stops the thread.

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
        """Queues a block (samples, channels); waits while the thread is QUEUED_BLOCKS behind.

        Raises:
            Exception: The error of the detector.
        """
        if self._error:
            raise self._error
        self._queue.put(block)

    def finish(self, audio_ms: int) -> tuple[SpeechRegion, ...]:
        """The regions of every channel, ordered by start and channel.

        Raises:
            Exception: The error of the detector.
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
        """Level of the loudest channel, once finished; others may hold little speech."""
        levels = [meter.level for _, _, meter in self._channels]
        return max(levels, key=SpeechLevel.loudness, default=SpeechLevel(None, is_speech=False))

    def _end(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (block := self._queue.get()) is not None:
            if (
                self._error is None
            ):  # after an error, blocks are dropped so that the decoder never waits forever
                self._detect_safely(block)
        self._detect_safely(None)

    def _detect_safely(self, block: npt.NDArray[np.int16] | None) -> None:
        try:
            self._detect(block)
        except Exception as error:  # noqa: BLE001 - raised again by feed and finish
            self._error = error
        self.busy_seconds = time.thread_time()

    def _detect(self, block: npt.NDArray[np.int16] | None) -> None:
        if block is None:
            for stream, finder, _ in self._channels:
                finder.feed(stream.finish().tolist())
            return
        while len(self._channels) < block.shape[1]:
            finder = RegionFinder(self._options)
            self._channels.append((self._detector.stream(), finder, LevelMeter()))
        for channel, (stream, finder, meter) in enumerate(self._channels):
            probabilities = stream.feed(block[:, channel])
            finder.feed(probabilities.tolist())
            meter.feed(block[:, channel], probabilities >= finder.threshold)
