"""The judgement on an attempt: rules 1, 2 and 9 to 11 of paid once, without any I/O.

`docs/architecture.md` tells the protocol. A verdict never rests on a provider's status alone,
nor on two machines' clocks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from gpu_job.contract import Claim
from gpu_job.place import is_known_dead
from pipelines.billing.attempts import Attempt, Status

UNSUBMITTED_SECONDS = 60.0  # an attempt nobody submitted by then never will be
INTERRUPTED = "interrupted"
BACKEND_DOWN = "backend_down"  # it did not take the job
EXPIRED = "audio_expired"  # its addresses, in the queue: the next attempt gets new ones
# its reservation was used up: stopped with what it had done, the next one has twice the time
OUT_OF_TIME = "out_of_time"
# a machine that was taken away left a partial result
_SAY_NOTHING = {INTERRUPTED, "cancelled", EXPIRED}
SILENT_SECONDS = 300.0  # a claim that did not change for so long has no owner

Action = Literal["wait", "bury", "close"]


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen of the newest attempt.

    `watched_seconds`: how long this orchestrator has looked at it, on its own monotonic clock.
    `unchanged_seconds`: how long the claim's ETag has not changed, in reads that succeeded.
    `owner_is_dead`, `creator_is_dead`: known for certain, on this machine.
    """

    attempt: Attempt
    claim: Claim | None
    submitted: bool
    provider_is_final: bool = False
    watched_seconds: float = 0.0
    unchanged_seconds: float = 0.0
    owner_is_dead: bool = False
    creator_is_dead: bool = False


@dataclass
class Watch:
    """How long an attempt was looked at, and its claim there or unchanged, on our own clock."""

    clock: Callable[[], float]
    since: float = field(init=False)
    etag: str = ""
    claim: Claim | None = None
    changed: float = field(init=False)
    claimed: float | None = None
    _looked: float = field(init=False)
    _missed: bool = False

    def __post_init__(self) -> None:
        self.since = self.changed = self._looked = self.clock()

    def missed(self) -> None:
        """A look failed: from the last good one to the next one, nothing is known."""
        self._missed = True

    def looked(self) -> None:
        """A look at the claim succeeded; the time of those that failed is no evidence."""
        now = self.clock()
        if self._missed:
            unknown_seconds = now - self._looked
            self.since += unknown_seconds
            self.changed += unknown_seconds
        self._looked, self._missed = now, False

    def see(self, claim: Claim, etag: str) -> None:
        """A claim that was read; its ETag was read before it."""
        self.claim = claim
        if etag != self.etag:
            self.etag, self.changed = etag, self.clock()
            self.claimed = self.changed if self.claimed is None else self.claimed

    def died_at(self, claim: Claim | None, etag: str) -> datetime | None:
        """When its owner died, which is known to be dead now: by the owner's own clock.

        Its last beat told how long it had run by then, and how long that was ago our clock knows,
        which nobody sets. A beat that was not seen here came after the last look.

        claim, etag: as they are now.
        """
        if claim is None or claim.usage is None:
            return None
        heard = self.changed if etag == self.etag else self._looked
        return claim.usage.ended_at + timedelta(seconds=self.clock() - heard)

    @property
    def run_seconds(self) -> float:
        """Since the claim was first seen: the time in a queue is not the worker's."""
        return 0.0 if self.claimed is None else self.clock() - self.claimed


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about an attempt, and why; `status` where it is over.

    language: that was spoken, and segments: how many, where a result tells.
    """

    action: Action
    reason: str
    status: Status = "lost"
    error_type: str = ""
    language: str = ""
    segments: int | None = None


def sight_of(attempt: Attempt, watch: Watch, *, submitted: bool, final: bool) -> Sight:
    """What is seen of an attempt under watch. `final`: its backend says that it is over."""
    claim = watch.claim
    owner = claim.usage.place if claim and claim.usage else None
    return Sight(
        attempt=attempt,
        claim=claim,
        submitted=submitted,
        provider_is_final=final,
        watched_seconds=watch.clock() - watch.since,
        unchanged_seconds=watch.clock() - watch.changed,
        owner_is_dead=owner is not None and is_known_dead(owner),
        creator_is_dead=is_known_dead(attempt.creator),
    )


def judge(sight: Sight) -> Verdict:
    """Whether the attempt still runs, must be buried, or is over."""
    if sight.claim is None:
        return _judge_unclaimed(sight)
    match sight.claim.state:
        case "buried":
            return Verdict("close", "buried before a worker took it", "buried")
        case "failed":
            return Verdict("close", "the worker said that it failed", "failed")
        case "stopped":
            return Verdict("close", "the worker stopped in good order", "stopped")
        case "done":
            return Verdict("close", "done, yet its result is missing", "lost")
        case "running":
            return _judge_running(sight)


def _judge_unclaimed(sight: Sight) -> Verdict:
    if sight.provider_is_final:
        return Verdict("bury", "its backend says that it is over")
    if not sight.submitted and sight.creator_is_dead:
        return Verdict("bury", "its creator died before it was submitted")
    if not sight.submitted and sight.watched_seconds > UNSUBMITTED_SECONDS:
        return Verdict("bury", f"not submitted within {UNSUBMITTED_SECONDS:.0f} s")
    if sight.watched_seconds > sight.attempt.queue_limit_seconds:
        return Verdict("bury", "its time in the queue is over")
    return Verdict("wait", "no worker has taken it yet")


def _judge_running(sight: Sight) -> Verdict:
    if sight.owner_is_dead and sight.creator_is_dead:
        return Verdict("close", "its run was killed", "lost", INTERRUPTED)
    if sight.owner_is_dead:
        return Verdict("close", "its worker died", "lost")
    if sight.unchanged_seconds > SILENT_SECONDS:
        return Verdict("close", f"no beat for {SILENT_SECONDS:.0f} s", "lost")
    return Verdict("wait", "a worker has it")


def computations(attempts: list[Attempt]) -> int:
    """How many attempts speak against the job: begun by a worker, and not ended by us.

    One that no worker began cost nothing; one whose run was interrupted or killed says nothing
    about the job, nor does one whose machine was taken away, or that had less time than the next.
    """
    ends = [attempt.end for attempt in attempts if attempt.end is not None]
    said = sum(1 for end in ends if end.started_at and end.error_type not in _SAY_NOTHING)
    return said - len({one.run_limit_seconds for one in attempts if is_out_of_time(one)})


def is_out_of_time(attempt: Attempt) -> bool:
    """Whether it was stopped where its reservation ended."""
    return attempt.end is not None and attempt.end.error_type == OUT_OF_TIME
