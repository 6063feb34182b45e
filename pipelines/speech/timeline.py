"""The time in the file is the time in the player: timestamps against the sum of the samples.

Only the sum can tell: a packet lost here and there is 20 ms each time, and a clock that is 0.9 %
off is never wrong by more than a millisecond from one frame to the next, and by 32 s after an hour.
Two ways to put a lag right, by what it looks like:

- A frame that comes late, and with it all that follow: packets are missing (RTMP, a call's losses,
  Opus that sends nothing in silence). Silence of that length is put before it.
- A lag that creeps: the recorder's clock and its sound card disagree. The chunk is resampled to
  the length that the clock gives it, at most 5 % off. That cuts no word, and a voice one percent
  lower is nothing to a speech model; silence would fall into words, once every three seconds.

Timestamps jitter (those of FLV, ASF and AVI by tens of milliseconds), so a lag counts only as far
as every frame of the next half second has it too.
"""

from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple

LAG_SECONDS: Final = 0.025  # less is left alone: rounding, jitter, a decoder's own delay
LEAP_SECONDS: Final = 0.015  # at once: a loss, and no creeping; Opus packets are 20 ms
MOST_STRETCH: Final = 0.05  # of a chunk; quartz differs by 0.01 %, bad recorders by 1 %
LOST_SECONDS: Final = 0.5  # a lag that stretching does not catch up with
LONGEST_HOLE_SECONDS: Final = 4 * 3600  # a longer leap is a broken clock, or made to fill disks
MOST_HOLES_SECONDS: Final = 24 * 3600  # in all; silence costs the detector 7 s of CPU an hour


class Mark(NamedTuple):
    """A frame in the queue: its first sample there, and its time in seconds of the clock."""

    offset: int
    at: float


class Gap(NamedTuple):
    """Silence of so many seconds before the sample at that offset."""

    offset: int
    seconds: float


class Judged(NamedTuple):
    """The holes among the samples; how far the later of their frames lag, and the last one."""

    gaps: tuple[Gap, ...] = ()
    lag: float = 0.0
    last_lag: float = 0.0


class CleanClock:
    """Timestamps as one clock that only goes forward, without leaps that are no time.

    Timestamps that fall (files joined end to end) go on from where the sound is; so does what
    follows a leap that is too long to be filled.

    Attributes:
        skipped_ms: Length of the leaps ignored so far for being too long.
    """

    def __init__(self, tick_seconds: float) -> None:
        self.skipped_ms = 0
        self._tick_seconds = tick_seconds
        self._shift = self._filled = 0.0  # seconds
        self._expected: float | None = None

    def read(self, pts: int | None, seconds: float) -> float | None:
        """The time of a frame of so many seconds; None where it has none."""
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
                self._filled = max(0.0, self._filled + late)  # jitter goes and comes back
                if late > LONGEST_HOLE_SECONDS or self._filled > MOST_HOLES_SECONDS:
                    self._filled -= late
                    self._shift -= late
                    self.skipped_ms += round(late * 1000)
                    at = expected
        self._expected = at + seconds
        return at


def judge_lags(
    marks: Sequence[Mark], begins: float, samples: int, rate_hz: int, lag_before: float
) -> Judged:
    """Where silence is due among the first samples of a queue, and how far the rest lags.

    Args:
        marks: Of all frames in the queue, also those behind the samples.
        begins: Where the queue stands, in seconds of the clock.
        samples: How many are judged.
        rate_hz: Of the queue.
        lag_before: Of the last frame that was taken out.
    """
    lags = [mark.at - begins - mark.offset / rate_hz for mark in marks]
    count = sum(mark.offset < samples for mark in marks)
    if not count:
        return Judged(last_lag=lag_before)
    if max(lags) < LAG_SECONDS and min(lags) > -LAG_SECONDS:
        return Judged(last_lag=lags[count - 1])
    sure, gaps, filled = _lowest_to_come(lags), list[Gap](), 0.0
    left: list[float] = []
    for index in range(count):
        leap = lags[index] - (lags[index - 1] if index else lag_before)
        due = sure[index] - filled
        if due >= LAG_SECONDS and (leap >= LEAP_SECONDS or due >= LOST_SECONDS):
            gaps.append(Gap(marks[index].offset, due))
            filled += due
        left.append(lags[index] - filled)
    return Judged(tuple(gaps), median(left[count // 2 :]), left[-1])


def stretch_of(lag: float, seconds: float) -> float:
    """By how many seconds a chunk of that length is to be made longer, for a lag that creeps."""
    most = seconds * MOST_STRETCH
    return max(-most, min(most, lag)) if abs(lag) >= LAG_SECONDS else 0.0


def _lowest_to_come(lags: Sequence[float]) -> list[float]:
    lowest = list(lags)
    for index in range(len(lowest) - 2, -1, -1):
        lowest[index] = min(lowest[index], lowest[index + 1])
    return lowest
