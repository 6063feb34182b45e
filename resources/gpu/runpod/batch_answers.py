"""The content of RunPod's answers about a batch.

Batch jobs are in beta, and two documented forms exist: of July 2026 (OPEN, RUNNING, COMPLETED;
`itemCount`, `completedCount`; `nextCursor`) and of August 2026 (DRAFT, FINALIZED; `requestTotal`,
`requestCompleted`; `offset` and `limit`). Both are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .batch_ids import Key

_DRAFT = frozenset({"DRAFT", "OPEN"})
_OVER = frozenset({"COMPLETED", "FAILED", "CANCELLED"})
_LISTS = ("requests", "items", "data")


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """How far a batch is. total: 0 if unknown."""

    status: str
    total: int = 0
    in_progress: int = 0
    completed: int = 0
    failed: int = 0

    @property
    def is_draft(self) -> bool:
        """Whether no worker takes its requests, since it is not finalized."""
        return self.status in _DRAFT

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will change; FINALIZED is no end by itself."""
        if self.status in _OVER:
            return True
        return not self.is_draft and 0 < self.total <= self.completed + self.failed


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Some requests of a batch. cursor: of the next page; empty if the answer names none."""

    requests: tuple[Mapping[str, Any], ...]
    cursor: str = ""


def summary_of(answer: Mapping[str, Any]) -> BatchSummary:
    """The summary in an answer; missing counts are 0."""
    status = answer.get("status")
    return BatchSummary(
        status.upper() if isinstance(status, str) else "",
        _count(answer, "requestTotal", "itemCount"),
        _count(answer, "requestInProgress", "inProgressCount"),
        _count(answer, "requestCompleted", "completedCount"),
        _count(answer, "requestFailed", "failedCount"),
    )


def page_of(answer: Mapping[str, Any]) -> RequestPage:
    """The requests in an answer."""
    lists = (answer.get(name) for name in _LISTS)
    found: list[Any] = next((one for one in lists if isinstance(one, list)), [])
    cursor = answer.get("nextCursor")
    requests = tuple(one for one in found if isinstance(one, dict))
    return RequestPage(requests, cursor if isinstance(cursor, str) else "")


def request_id(request: Mapping[str, Any]) -> str:
    """RunPod's id of a request; empty if there is none."""
    found = request.get("id")
    return found if isinstance(found, str) else ""


def key_of(request: Mapping[str, Any]) -> Key | None:
    """Which attempt a request is: by what its worker answered, or by its input if that is shown."""
    for name in ("output", "input"):
        part = request.get(name)
        if isinstance(part, dict):
            job, attempt = part.get("job"), part.get("attempt")
            if isinstance(job, str) and isinstance(attempt, int):
                return job, attempt
    return None


def _count(answer: Mapping[str, Any], *names: str) -> int:
    found = (answer.get(name) for name in names)
    return next((one for one in found if isinstance(one, int) and one > 0), 0)
