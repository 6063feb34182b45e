"""Decides when a process must restart instead of taking another job."""

from .common.gpu_memory import Card

_LOST_SHARE = 0.25  # of the GPU memory that was free after the first job and no longer is


class Retirement:
    """Tracks jobs; once retirement is due, it stays due."""

    def __init__(self, card: Card, after_jobs: int) -> None:
        self._card = card
        self._after_jobs = after_jobs
        self._jobs = 0
        self._free_at_first: int | None = None
        self.reason = ""

    def job_done(self, *, broken: str = "") -> None:
        """Record a job; `broken`: why the process is unusable, if it is."""
        self._jobs += 1
        memory = self._card.memory()
        if self._free_at_first is None:
            self._free_at_first = memory.free
        lost = self._free_at_first - memory.free
        if broken:
            self.reason = broken
        elif self._card.is_there and lost > _LOST_SHARE * (memory.free + memory.used):
            self.reason = f"{lost >> 20} MiB of GPU memory were not released"
        elif self._after_jobs and self._jobs >= self._after_jobs:
            self.reason = f"{self._jobs} jobs are done"

    @property
    def is_due(self) -> bool:
        """Whether this process must not take another job."""
        return bool(self.reason)
