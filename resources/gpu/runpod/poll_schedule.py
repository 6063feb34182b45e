"""When to request a job's status again: rarely, yet soon after the job ends.

Plain arithmetic, in seconds of one monotonic clock.
"""

from collections import deque
from statistics import median

CLOSEST_SECONDS = 5.0
FARTHEST_SECONDS = 300.0
FARTHEST_IN_QUEUE_SECONDS = 900.0  # the engine looks into the bucket more often anyway
_PART = 0.8  # of the time left: the estimate of the end becomes more exact on the way
_QUEUE_PART = 0.5  # of the queue before a job: more workers may start meanwhile
_HALF = 0.5  # of the planned run, at the first look: by then, progress shows the real speed
_FIRST_PART = 0.25  # the second progress report gives the speed
_LATE_PART = 0.1  # of the time that it is overdue
_LATEST_SECONDS = 60.0


def until_end(left_seconds: float) -> float:
    """Seconds until the next look at a running job that should end in `left_seconds`."""
    if left_seconds > 0:
        return min(max(left_seconds * _PART, CLOSEST_SECONDS), FARTHEST_SECONDS)
    return min(max(-left_seconds * _LATE_PART, CLOSEST_SECONDS), _LATEST_SECONDS)


def until_start(run_seconds: float, ahead: int, ends_a_second: float | None) -> float:
    """Seconds until the next look at a waiting job, which must at least run first.

    ahead: our own jobs that wait before it. ends_a_second: how many of our jobs end, and so can
    start, per second; None: unknown.
    """
    queue_seconds = ahead / ends_a_second if ends_a_second else 0.0
    wait = max(run_seconds, queue_seconds) * _QUEUE_PART
    return min(max(wait, CLOSEST_SECONDS), FARTHEST_IN_QUEUE_SECONDS)


class PollSchedule:
    """When one job should end, by its quote and by its progress."""

    __slots__ = ("_done", "_is_guess", "_seen_waiting", "_waited_at", "ends_at", "run_seconds")

    def __init__(self, now: float, run_seconds: float, start_seconds: float) -> None:
        self.run_seconds = run_seconds
        self.ends_at = now + start_seconds + run_seconds
        self._waited_at, self._seen_waiting, self._is_guess = now, False, False
        self._done: tuple[float, float] | None = None  # since when which fraction was done

    def first_look_seconds(self, start_seconds: float) -> float:
        """Seconds from the submission to the first look."""
        wait = start_seconds + self.run_seconds * _HALF
        return min(max(wait, CLOSEST_SECONDS), FARTHEST_SECONDS)

    def next_look_seconds(self, now: float) -> float:
        """Seconds to the next look at a job that runs, or should run."""
        seconds = until_end(self.ends_at - now)
        return max(seconds * _FIRST_PART, CLOSEST_SECONDS) if self._is_guess else seconds

    def waits(self, now: float, run_seconds: float) -> None:
        """The job is in the queue, possibly again: another worker then starts it from scratch."""
        self.run_seconds = run_seconds
        self._waited_at, self._seen_waiting, self._done = now, True, None
        self.ends_at = now + self.run_seconds

    def runs(self, now: float, part: float | None) -> None:
        """The job runs. part: the fraction that is done (0 to 1); None: not reported."""
        before = self._done
        if part is None:
            if before is None:
                self._done = (now, 0.0)
                # it started at some time since it was seen waiting; otherwise the plan holds
                self.ends_at += (now - self._waited_at) / 2 if self._seen_waiting else 0.0
            return
        if before is None:
            self.ends_at = now + self._left_at_first(now, part)
        elif part > before[1] and now > before[0]:
            self.ends_at = now + (1 - part) * (now - before[0]) / (part - before[1])
        else:
            return  # no progress: the speed counts from the last report of progress
        self._is_guess, self._done = before is None, (now, part)

    def _left_at_first(self, now: float, part: float) -> float:
        """By the quote, or less: it cannot have run since before it was last seen waiting."""
        left = (1 - part) * self.run_seconds
        most = (1 - part) * (now - self._waited_at) / part if part > 0 else left
        return min(left, most)


class JobDurations:
    """The real durations of an endpoint's jobs, which correct the schedule of the next ones."""

    def __init__(self) -> None:
        self._ratios: deque[float] = deque(maxlen=15)
        self._ends: deque[float] = deque(maxlen=200)

    @property
    def ratio(self) -> float:
        """Real run seconds per quoted second; 1 while unknown."""
        return median(self._ratios) if self._ratios else 1.0

    def ended(self, now: float, quoted_seconds: float, run_seconds: float | None) -> None:
        """A job has ended. run_seconds: as RunPod reports them, or None."""
        self._ends.append(now)
        if run_seconds and quoted_seconds > 0:
            self._ratios.append(min(max(run_seconds / quoted_seconds, 0.01), 100.0))

    @property
    def ends_a_second(self) -> float | None:
        """The rate of the last observed ends; None before the second one.

        The time since the last end does not count: rare looks see no end for a while, and would
        become still rarer.
        """
        if len(self._ends) < 2:  # noqa: PLR2004  # one end has no rate
            return None
        return len(self._ends) / max(self._ends[-1] - self._ends[0], 1.0)
