"""The provider's id of one attempt in a batch, as `submitted-<n>.json` keeps it."""

import re
from dataclasses import dataclass

Key = tuple[str, int]  # job and number of the attempt, as the worker's answers name them

_ID = re.compile(r"(?P<batch>[^#]+)#(?P<job>[^/]+)/(?P<attempt>\d+)/(?P<count>\d+)")


@dataclass(frozen=True, slots=True)
class BatchedAttempt:
    """One attempt in a batch of `count`; another process finds its request by job and attempt."""

    batch: str
    job: str
    attempt: int
    count: int

    def __str__(self) -> str:
        return f"{self.batch}#{self.job}/{self.attempt}/{self.count}"

    @property
    def key(self) -> Key:
        """What the worker's answers name."""
        return self.job, self.attempt


def batched(provider_id: str) -> BatchedAttempt | None:
    """The parts of an id; None for a job of its own, submitted by /run."""
    found = _ID.fullmatch(provider_id)
    if found is None:
        return None
    return BatchedAttempt(found["batch"], found["job"], int(found["attempt"]), int(found["count"]))
