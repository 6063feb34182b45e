"""When a process must not take another job: it begins anew instead."""

from .card import Card

_LOST_SHARE = 0.25  # of the card's memory that was free after the first job, and is not any more


class Retirement:
    """Asked after each job; once it is due it stays so."""

    def __init__(self, card: Card, after_jobs: int) -> None:
        self._card = card
        self._after_jobs = after_jobs
        self._jobs = 0
        self._free_at_first: int | None = None
        self.reason = ""

    def job_done(self, *, broken: str = "") -> None:
        """Note a job; `broken` says why the process cannot be trusted any more, if so."""
        self._jobs += 1
        memory = self._card.memory()
        if self._free_at_first is None:
            self._free_at_first = memory.free
        lost = self._free_at_first - memory.free
        if broken:
            self.reason = broken
        elif self._card.is_there and lost > _LOST_SHARE * (memory.free + memory.used):
            self.reason = f"{lost >> 20} MiB of the card's memory did not come back"
        elif self._after_jobs and self._jobs >= self._after_jobs:
            self.reason = f"{self._jobs} jobs are done"

    @property
    def is_due(self) -> bool:
        """Whether this process has done its last job."""
        return bool(self.reason)
