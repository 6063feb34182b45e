"""Keeps audio in time with the container's timestamps, so that times match those of a player.

Only the sum of the samples shows a lag: a lost packet is 20 ms, and a clock that is 0.9 % off is
never wrong by more than a millisecond between two frames, but by 32 s after an hour. There are two
corrections:

- A frame and all later ones come late: packets are missing (RTMP, losses in calls, Opus that sends
  nothing during silence). Silence of that length is inserted before the frame.
- The lag grows slowly: the clocks of the recorder and of its sound card differ. The chunk is
  resampled to the length that the clock gives it, by at most 5 %. No word is cut, and a speech
  model does not mind a voice that is one percent lower; silence would fall into words, once every
  three seconds.

Timestamps jitter (in FLV, ASF and AVI by tens of milliseconds), so a lag counts only as far as
every frame of the next half second has it too.
"""

from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple

LAG_SECONDS: Final = 0.025  # less is ignored: rounding, jitter, the decoder's delay
JUMP_SECONDS: Final = 0.015  # between two frames: a loss, not drift; Opus packets are 20 ms
MAX_STRETCH: Final = 0.05  # of a chunk; quartz differs by 0.01 %, bad recorders by 1 %
LOST_SECONDS: Final = 0.5  # a lag that stretching cannot correct
MAX_GAP_SECONDS: Final = 4 * 3600  # a longer jump is a broken clock, or an attack on the disk
MAX_GAPS_SECONDS: Final = 24 * 3600  # in total; silence costs the detector 7 s of CPU an hour
FREE_GAPS_SECONDS: Final = MAX_GAP_SECONDS  # one break of a meeting may be long, whatever the size
# A recorder that sends nothing in silence still has its speech, of 1,000 bytes a second and more;
# one that sends a packet of 2 bytes now and then has 30 bytes a second with those around it.
GAP_SECONDS_A_BYTE: Final = 1 / 20


class FrameMark(NamedTuple):
    """A frame in the queue: the index of its first sample, and its time on the clock in seconds."""

    offset: int
    at: float


class ClockGap(NamedTuple):
    """Silence of that many seconds before the sample at the offset."""

    offset: int
    seconds: float


class LagVerdict(NamedTuple):
    """The gaps between samples, the median lag of the later frames, and the lag of the last one."""

    gaps: tuple[ClockGap, ...] = ()
    lag: float = 0.0
    last_lag: float = 0.0


def most_silence(size_bytes: int) -> float:
    """How many seconds of silence may fill the gaps of a file of that size."""
    return min(MAX_GAPS_SECONDS, FREE_GAPS_SECONDS + size_bytes * GAP_SECONDS_A_BYTE)


class CleanClock:
    """Timestamps as a clock that only moves forward, without invalid jumps.

    After timestamps that fall (files joined end to end), or a jump too long to fill, the clock
    continues from the end of the audio so far.

    Attributes:
        skipped_ms: Total length of the jumps that were too long.
    """

    def __init__(self, tick_seconds: float, most_silence: float = MAX_GAPS_SECONDS) -> None:
        """A clock of that unit, whose gaps may become that many seconds of silence."""
        self.skipped_ms = 0
        self._most_silence = most_silence
        self._tick_seconds = tick_seconds
        self._shift = self._filled = 0.0  # seconds
        self._expected: float | None = None

    def read(self, pts: int | None, seconds: float) -> float | None:
        """The time of a frame of that length in seconds; None if it has no timestamp."""
        if pts is None or not self._tick_seconds:
            if self._expected is not None:
                self._expected += seconds
            return None
        at, expected = pts * self._tick_seconds + self._shift, self._expected
        if expected is not None:
            late = at - expected
            if late < -LOST_SECONDS:
                self._shift -= late
                at = expected
            elif abs(late) > LAG_SECONDS:
                self._filled = max(0.0, self._filled + late)  # jitter cancels out
                if late > MAX_GAP_SECONDS or self._filled > self._most_silence:
                    self._filled -= late
                    self._shift -= late
                    self.skipped_ms += round(late * 1000)
                    at = expected
        self._expected = at + seconds
        return at


def judge_lags(
    marks: Sequence[FrameMark], begins: float, samples: int, rate_hz: int, lag_before: float
) -> LagVerdict:
    """Where silence is due among the first samples of a queue, and how far the rest lags.

    Args:
        marks: All frames in the queue, including those after the samples.
        begins: Time of the start of the queue, in seconds of the clock.
        samples: Number of samples to judge.
        rate_hz: Sample rate of the queue.
        lag_before: Lag of the last frame taken out of the queue.
    """
    lags = [mark.at - begins - mark.offset / rate_hz for mark in marks]
    count = sum(mark.offset < samples for mark in marks)
    if not count:
        return LagVerdict(last_lag=lag_before)
    if max(lags) < LAG_SECONDS and min(lags) > -LAG_SECONDS:
        return LagVerdict(last_lag=lags[count - 1])
    sure, gaps, filled = _lowest_to_come(lags), list[ClockGap](), 0.0
    left: list[float] = []
    for index in range(count):
        jump = lags[index] - (lags[index - 1] if index else lag_before)
        due = sure[index] - filled
        if due >= LAG_SECONDS and (jump >= JUMP_SECONDS or due >= LOST_SECONDS):
            gaps.append(ClockGap(marks[index].offset, due))
            filled += due
        left.append(lags[index] - filled)
    return LagVerdict(tuple(gaps), median(left[count // 2 :]), left[-1])


def stretch_of(lag: float, seconds: float) -> float:
    """By how many seconds to lengthen a chunk of that length, for a lag that grows slowly."""
    most = seconds * MAX_STRETCH
    return max(-most, min(most, lag)) if abs(lag) >= LAG_SECONDS else 0.0


def _lowest_to_come(lags: Sequence[float]) -> list[float]:
    lowest = list(lags)
    for index in range(len(lowest) - 2, -1, -1):
        lowest[index] = min(lowest[index], lowest[index + 1])
    return lowest
