"""Whether a backend that failed is tried again: a circuit that opens, waits, and lets one probe.

After Nygard, Release It!, "Circuit Breaker". Knows no backend, and of time what it is told.
"""

import random
import time
from collections.abc import Callable

from .quotes import Health

FAILURES_TO_OPEN = 3
FIRST_COOL_DOWN_SECONDS = 30.0
LONGEST_COOL_DOWN_SECONDS = 600.0
_JITTER = 0.25  # of a cool-down: processes that were refused together do not come back together


class Circuit:
    """Of one backend in one process.

    clock: seconds that only grow. jitter: from 0 to 1; shortens each cool-down by up to a quarter.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._clock, self._jitter = clock, jitter
        self._failures = 0  # in a row, while closed
        self._opened = 0  # times in a row, with no success between
        self._until: float | None = None  # None: closed
        self._ill_since = 0.0  # where it is not closed
        self._probing = False
        self._reason, self._lasting = "", False

    @property
    def state(self) -> Health:
        """Well while closed, down while open, degraded while one job shall try or is trying."""
        if self._until is None:
            return Health("well")
        if self._probing:
            return Health("degraded", f"one job is trying it again after: {self._reason}")
        seconds = self.seconds_until_probe()
        if seconds > 0:
            reason = f"circuit open for {seconds:.0f} s after: {self._reason}"
            return Health("down", reason, lasting=self._lasting)
        return Health("degraded", f"one job may try it again after: {self._reason}", probe=True)

    def may_try(self) -> bool:
        """Whether a job may be handed over now. Half-open: once, and the caller is the probe.

        A probe reports by `failed` or `succeeded`, or lets go by `abandoned`.
        """
        if self._until is None:
            return True
        if self._probing or self.seconds_until_probe() > 0:
            return False
        self._probing = True
        return True

    def failed(self, reason: str, lasting: bool) -> None:  # noqa: FBT001  # with its reason
        """The backend failed; `lasting`: trying again at once makes no sense.

        While it is open, news of jobs from before change nothing.
        """
        if self._until is not None and not self._probing:
            return
        self._failures += 1
        self._reason, self._lasting = reason, lasting
        if self._probing or lasting or self._failures >= FAILURES_TO_OPEN:
            self._open()

    def succeeded(self) -> None:
        """It works: closed, and all is forgotten."""
        self._failures = self._opened = 0
        self._until, self._probing = None, False

    def abandoned(self) -> None:
        """The probe ended without news (its task was cancelled): the next job may be the probe."""
        self._probing = False

    def seconds_until_probe(self) -> float:
        """0 where a job may be tried now; while one is being tried, the shortest cool-down."""
        if self._until is None:
            return 0.0
        if self._probing:
            return FIRST_COOL_DOWN_SECONDS
        return max(0.0, self._until - self._clock())

    def ill_seconds(self) -> float:
        """Since it opened, with no success between; 0 while it is closed."""
        return 0.0 if self._until is None else self._clock() - self._ill_since

    def _open(self) -> None:
        if self._until is None:
            self._ill_since = self._clock()
        seconds = min(FIRST_COOL_DOWN_SECONDS * 2**self._opened, LONGEST_COOL_DOWN_SECONDS)
        self._until = self._clock() + seconds * (1 - _JITTER * self._jitter())
        self._opened += 1
        self._failures, self._probing = 0, False
