"""A circuit breaker: a failed backend gets no jobs for a while, then one job as a probe.

After Nygard, Release It!, "Circuit Breaker". Knows no backend; the clock is a parameter.
"""

import random
import time
from collections.abc import Callable

from .quotes import Health

FAILURES_TO_OPEN = 3
FIRST_COOL_DOWN_SECONDS = 30.0
LONGEST_COOL_DOWN_SECONDS = 600.0
_JITTER = 0.25  # of a cool-down, so that processes do not retry at the same moment


class CircuitBreaker:
    """The circuit breaker of one backend in one process.

    clock: monotonic seconds. jitter: from 0 to 1; shortens each cool-down by up to a quarter.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._clock, self._jitter = clock, jitter
        self._failures = 0  # in a row, while closed
        self._opened = 0  # times in a row, without a success in between
        self._until: float | None = None  # None: closed
        self._open_since = 0.0  # if it is not closed
        self._probing = False
        self._reason, self._lasting = "", False

    @property
    def state(self) -> Health:
        """Well while closed, down while open, degraded while one job may probe or is probing."""
        if self._until is None:
            return Health("well")
        if self._probing:
            return Health("degraded", f"one job is probing it after: {self._reason}")
        seconds = self.seconds_until_probe()
        if seconds > 0:
            reason = f"circuit open for {seconds:.0f} s after: {self._reason}"
            return Health("down", reason, lasting=self._lasting)
        return Health("degraded", f"one job may probe it after: {self._reason}", probe=True)

    def may_try(self) -> bool:
        """Whether a job may be submitted now. Half-open: once, and the caller becomes the probe.

        A probe reports with `failed` or `succeeded`, or ends without a result with `abandoned`.
        """
        if self._until is None:
            return True
        if self._probing or self.seconds_until_probe() > 0:
            return False
        self._probing = True
        return True

    def failed(self, reason: str, lasting: bool) -> None:  # noqa: FBT001  # with its reason
        """The backend failed; `lasting`: an immediate retry is pointless.

        While the circuit is open, results of earlier jobs change nothing.
        """
        if self._until is not None and not self._probing:
            return
        self._failures += 1
        self._reason, self._lasting = reason, lasting
        if self._probing or lasting or self._failures >= FAILURES_TO_OPEN:
            self._open()

    def succeeded(self) -> None:
        """The backend works: close the circuit and reset the counters."""
        self._failures = self._opened = 0
        self._until, self._probing = None, False

    def abandoned(self) -> None:
        """The probe ended without a result (its task was cancelled): the next job may probe."""
        self._probing = False

    def seconds_until_probe(self) -> float:
        """Seconds until a job may probe; during a probe, the shortest cool-down."""
        if self._until is None:
            return 0.0
        if self._probing:
            return FIRST_COOL_DOWN_SECONDS
        return max(0.0, self._until - self._clock())

    def open_seconds(self) -> float:
        """Seconds since the circuit opened; 0 while it is closed."""
        return 0.0 if self._until is None else self._clock() - self._open_since

    def _open(self) -> None:
        if self._until is None:
            self._open_since = self._clock()
        seconds = min(FIRST_COOL_DOWN_SECONDS * 2**self._opened, LONGEST_COOL_DOWN_SECONDS)
        self._until = self._clock() + seconds * (1 - _JITTER * self._jitter())
        self._opened += 1
        self._failures, self._probing = 0, False
