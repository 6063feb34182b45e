"""When a second job may be taken: when the one on the card is nearly done, and never before.

Its audio is fetched and decoded meanwhile. Taken earlier, it would wait here while another
worker stands idle.
"""

import time
from collections.abc import Callable

AHEAD_SECONDS = 30.0
ALONE, WITH_THE_NEXT = 1, 2


class Lookahead:
    """How far the job on the card is. Fed by one thread, asked by another.

    `ahead_seconds`: what is left of a job when the next one may be taken.
    """

    def __init__(
        self,
        ahead_seconds: float = AHEAD_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ahead_seconds, self._clock = ahead_seconds, clock
        self._total_ms, self._began = 0, 0.0
        self._words_done_at: float | None = None
        self._expected_end: float | None = None
        # after the words come the speakers and the upload, of which no progress is told: seconds
        # of them for each millisecond of speech, as the last job had it; None before there was one
        self._tail: float | None = None
        self.jobs = 0  # in this worker's hands

    def began(self, total_ms: int) -> None:
        """A job with so much speech is on the card now."""
        self._total_ms, self._began = total_ms, self._clock()
        self._words_done_at = self._expected_end = None

    def progressed(self, done_ms: int) -> None:
        """So much of its speech is done."""
        now = self._clock()
        if done_ms >= self._total_ms and self._words_done_at is None:
            self._words_done_at = now
        if done_ms <= 0 or self._tail is None:
            return
        words_end = self._words_done_at or self._began + (
            (now - self._began) * self._total_ms / done_ms
        )
        self._expected_end = words_end + self._tail * self._total_ms

    def ended(self, *, whole: bool) -> None:
        """The card is free; a job that was not done to its end tells nothing of the next."""
        if whole and self._words_done_at is not None and self._total_ms:
            self._tail = (self._clock() - self._words_done_at) / self._total_ms
        self._expected_end = None

    def concurrency(self, _current: int = ALONE) -> int:
        """How many jobs this worker may have: RunPod's concurrency_modifier."""
        if self.jobs >= WITH_THE_NEXT:
            return WITH_THE_NEXT
        expected_end = self._expected_end
        if expected_end is None or expected_end - self._clock() > self._ahead_seconds:
            return ALONE
        return WITH_THE_NEXT
