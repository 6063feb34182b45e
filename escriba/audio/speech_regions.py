"""Turns speech probabilities into speech regions.

The algorithm is Silero's `get_speech_timestamps` as in faster-whisper 1.2 (`vad.py`), without its
limit on the length of a region, and fed in chunks. A window is exactly 32 ms, so all times are
whole milliseconds and only the end of the recording is rounded (down).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gpu_job.contract import SpeechRegion

WINDOW_MS: Final = 32  # 512 samples at 16 kHz, the only window that Silero 6 accepts


@dataclass(frozen=True)
class RegionOptions:
    """How probabilities become regions.

    Attributes:
        threshold: Speech begins at this probability (Silero's default).
        end_threshold: Speech may end below this probability. The difference of 0.15 (Silero's
            default) keeps a voice that hovers around the threshold in one region.
        min_silence_ms: A shorter pause does not end a region. In whole windows 120 ms are 128:
            longer than the stop inside a `p` or `t`, shorter than the pause between two speakers.
            Joining regions later is cheaper than splitting them.
        min_speech_ms: Speech of at most this length is dropped: 3 windows, which a click can fill
            but a word seldom does.
        pad_ms: Added at both ends, about one window: speech may begin at the very start of a
            window, and a first consonant is soft.
    """

    threshold: float = 0.5
    end_threshold: float = 0.35
    min_silence_ms: int = 120
    min_speech_ms: int = 100
    pad_ms: int = 30


class RegionFinder:
    """Finds the regions of one channel; stores regions, not probabilities."""

    def __init__(self, options: RegionOptions | None = None) -> None:
        self._options = options or RegionOptions()
        self._found: list[tuple[int, int]] = []
        self._window = 0
        self._start_ms: int | None = None  # of speech that has not ended
        self._pause_ms: int | None = None  # start of the current pause

    @property
    def threshold(self) -> float:
        """Speech begins at this probability."""
        return self._options.threshold

    def feed(self, probabilities: Iterable[float]) -> None:
        """Adds the next windows, in order."""
        begin_threshold, end_threshold = self._options.threshold, self._options.end_threshold
        for window, probability in enumerate(probabilities, self._window):
            if probability >= begin_threshold:
                self._pause_ms = None
                if self._start_ms is None:
                    self._start_ms = window * WINDOW_MS
            elif probability < end_threshold and self._start_ms is not None:
                self._add_pause(window * WINDOW_MS)
            self._window = window + 1

    def finish(self, audio_ms: int, channel: int = 0) -> tuple[SpeechRegion, ...]:
        """The padded regions of a recording of that length: in order, disjoint, never empty."""
        if self._start_ms is not None:
            self._keep(self._start_ms, audio_ms)
            self._start_ms = None
        padded = _pad(self._found, self._options.pad_ms, audio_ms)
        return tuple(
            SpeechRegion(start_ms=start, end_ms=end, channel=channel)
            for start, end in padded
            if start < end
        )

    def _add_pause(self, now_ms: int) -> None:
        if self._pause_ms is None:
            self._pause_ms = now_ms
        if self._start_ms is not None and now_ms - self._pause_ms >= self._options.min_silence_ms:
            self._keep(self._start_ms, self._pause_ms)
            self._start_ms = self._pause_ms = None

    def _keep(self, start_ms: int, end_ms: int) -> None:
        if end_ms - start_ms > self._options.min_speech_ms:
            self._found.append((start_ms, end_ms))


def _pad(found: list[tuple[int, int]], pad_ms: int, audio_ms: int) -> list[tuple[int, int]]:
    """Widens each region by the pad, or by half of a pause too short for two pads."""
    padded = []
    for index, (start, end) in enumerate(found):
        before = start - found[index - 1][1] if index else None
        after = found[index + 1][0] - end if index + 1 < len(found) else None
        padded.append(
            (
                max(0, start - _share(before, pad_ms)),
                min(audio_ms, end + _share(after, pad_ms)),
            )
        )
    return padded


def _share(pause_ms: int | None, pad_ms: int) -> int:
    return pad_ms if pause_ms is None or pause_ms >= 2 * pad_ms else pause_ms // 2
