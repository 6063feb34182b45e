"""When the state of machine jobs is requested: pure rules."""

from collections.abc import Callable

CLOSEST_SECONDS = 5.0
FARTHEST_SECONDS = 60.0
TOGETHER_SECONDS = 5.0  # a look that is due within this time joins the one that is due now
_PART = 10  # of the time since the last change, after which the next look is due
_LONGEST_BACKOFF_SECONDS = 60.0


def next_look_seconds(unchanged_seconds: float) -> float:
    """Soon after a change, later the longer there is none.

    A machine that ran for 30 minutes will most likely run for a few more.
    """
    return min(max(unchanged_seconds / _PART, CLOSEST_SECONDS), FARTHEST_SECONDS)


def backoff_seconds(failures: int, jitter: Callable[[], float]) -> float:
    """1 s after the first failure, then doubled each time; jittered between half of it and all."""
    longest = min(2.0 ** min(failures - 1, 16), _LONGEST_BACKOFF_SECONDS)
    return longest * (0.5 + jitter() / 2)
