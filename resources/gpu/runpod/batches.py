"""The batches of one endpoint, and what RunPod's answers mean for each of their attempts."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resources.gpu.backend import AttemptReport, Progress

from .batch_answers import BatchSummary, key_of, request_id
from .batch_ids import Key
from .jobs import FINAL, observation_of

GRACE_SECONDS = 30.0  # RunPod's list may lag behind its counts


@dataclass(slots=True, eq=False)
class Member:
    """One attempt. is_over: nobody needs it any more. missing_since: its request is not listed."""

    progress: Progress | None = None
    request: str = ""
    done_ms: int = 0
    is_over: bool = False
    missing_since: float | None = None
    report: AttemptReport | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, report: AttemptReport) -> None:
        """Keep the first report."""
        if self.report is None:
            self.report = report
            self.ended.set()

    def tell(self, done_ms: int | None) -> None:
        """Report progress, if it grew."""
        if self.progress is not None and done_ms is not None and done_ms > self.done_ms:
            self.done_ms = done_ms
            self.progress(done_ms)


@dataclass(slots=True, eq=False)
class Batch:
    """One batch. count: of its attempts, also those that other processes follow.

    ours: submitted by this process. quiet_since: since when nothing of it waits or runs.
    """

    id: str
    count: int
    known_since: float
    ours: bool = False
    members: dict[Key, Member] = field(default_factory=dict)
    summary: BatchSummary = field(default_factory=lambda: BatchSummary(""))
    changed_at: float = 0.0
    quiet_since: float | None = None
    is_needless: bool = False  # an attempt was given up: not all requests are wanted
    soon: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def open_members(self) -> list[Member]:
        """The attempts without a report that somebody needs."""
        return [one for one in self.members.values() if one.report is None and not one.is_over]

    @property
    def is_over(self) -> bool:
        """Whether all its attempts are known here, and each has ended or is not needed."""
        return len(self.members) >= self.count and not self.open_members

    @property
    def is_left(self) -> bool:
        """Whether all its attempts are known here, and nobody will ask for one again."""
        known = self.members.values()
        return len(known) >= self.count and all(one.is_over for one in known)

    def member(self, key: Key) -> Member:
        """The attempt, which may be another process's."""
        return self.members.setdefault(key, Member())

    def lose(self, why: str) -> None:
        """Report the attempts that have no report: the bucket decides about them."""
        for member in self.open_members:
            member.end(AttemptReport("LOST", why))

    def note_summary(self, now: float, summary: BatchSummary) -> bool:
        """Whether the requests may have changed since the last look."""
        changed = summary != self.summary
        if changed:
            self.summary, self.changed_at = summary, now
        return changed or summary.in_progress > 0 or summary.is_over

    def note_requests(self, now: float, listed: Sequence[Mapping[str, Any]], secret: str) -> None:
        """Report what has ended, and, after a grace, what RunPod lost."""
        requests = {one.request: one for one in self.members.values() if one.request}
        for entry in listed:
            self._note(now, entry, requests, secret)
        self._note_missing(now, {request_id(entry) for entry in listed})
        states = [str(entry.get("status")).upper() for entry in listed]
        all_ended = bool(states) and FINAL.issuperset(states) and not self.summary.is_draft
        self._note_quiet(now, is_quiet=all_ended or self.summary.is_over)

    def _note(
        self, now: float, entry: Mapping[str, Any], requests: dict[str, Member], secret: str
    ) -> None:
        key, id_ = key_of(entry), request_id(entry)
        member = self.members.get(key) if key else requests.get(id_)
        if member is None or member.report is not None:
            return
        member.request = id_
        seen = observation_of(entry, secret)
        if seen.report is not None:
            member.end(seen.report)
            self.changed_at = now
        else:
            before = member.done_ms
            member.tell(seen.done_ms)
            self.changed_at = now if member.done_ms > before else self.changed_at

    def _note_missing(self, now: float, listed: set[str]) -> None:
        for member in self.open_members:
            if not member.request or member.request in listed:
                member.missing_since = None
            elif member.missing_since is None:
                member.missing_since = now
            elif now - member.missing_since >= GRACE_SECONDS:
                member.end(AttemptReport("LOST", "RunPod lost the request of its batch"))

    def _note_quiet(self, now: float, *, is_quiet: bool) -> None:
        """Requests that RunPod lost keep a batch from its end, but not from becoming quiet."""
        if not is_quiet:
            self.quiet_since = None
        elif self.quiet_since is None:
            self.quiet_since = now
        elif now - self.quiet_since >= GRACE_SECONDS:
            if self.summary.status == "CANCELLED":
                for member in self.open_members:
                    member.end(AttemptReport("CANCELLED", "its batch was cancelled"))
            self.lose("the batch is over, and RunPod names no end of this request")
