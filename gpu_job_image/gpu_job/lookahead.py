"""When a worker may take a second job: only when the current one is nearly done.

The audio of the second job is downloaded and decoded meanwhile. Taken earlier, it would wait here
while another worker is idle.
"""

import time
from collections.abc import Callable

AHEAD_SECONDS = 30.0
ALONE, WITH_THE_NEXT = 1, 2


class Lookahead:
    """Progress of the current job. One thread reports it, another reads it.

    `ahead_seconds`: remaining seconds of a job at which the next one may be taken.
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
        # diarization and upload follow the transcription without reporting progress: their seconds
        # per millisecond of speech in the last job; None before the first job
        self._tail: float | None = None
        self.jobs = 0  # held by this worker

    def began(self, total_ms: int) -> None:
        """A job with `total_ms` of speech starts on the GPU."""
        self._total_ms, self._began = total_ms, self._clock()
        self._words_done_at = self._expected_end = None

    def progressed(self, done_ms: int) -> None:
        """`done_ms` of its speech are transcribed."""
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
        """The GPU is free; only a completed job (`whole`) predicts the next one."""
        if whole and self._words_done_at is not None and self._total_ms:
            self._tail = (self._clock() - self._words_done_at) / self._total_ms
        self._expected_end = None

    def concurrency(self, _current: int = ALONE) -> int:
        """How many jobs this worker may hold: RunPod's concurrency_modifier."""
        if self.jobs >= WITH_THE_NEXT:
            return WITH_THE_NEXT
        expected_end = self._expected_end
        if expected_end is None or expected_end - self._clock() > self._ahead_seconds:
            return ALONE
        return WITH_THE_NEXT
