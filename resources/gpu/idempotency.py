"""The state of an attempt: rules 1, 2 and 9 to 11 of docs/idempotency.md, without any I/O.

A verdict never rests on a provider's status alone, nor on the clocks of two machines.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from escriba.billing.attempts import Attempt, Status
from gpu_job.contract import Lease
from gpu_job.contract.process_identity import is_known_dead

UNSUBMITTED_SECONDS = 60.0  # an attempt that is not submitted within this time never will be
INTERRUPTED = "interrupted"
BACKEND_DOWN = "backend_down"  # the backend did not accept the job
EXPIRED = "audio_expired"  # its addresses expired in the queue; the next attempt gets new ones
# its reservation was used up; it left a partial result, and the next one gets twice the time
OUT_OF_TIME = "out_of_time"
QUEUE_LIMIT = "queue_limit"  # no worker started it in time: there is no capacity there now
# ends that do not count against the job; its machine may have been taken away
_NOT_COUNTED = {INTERRUPTED, "cancelled", EXPIRED}
SILENT_SECONDS = 300.0  # a lease that is unchanged for this long has no owner

Action = Literal["wait", "abandon", "close"]


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known about the newest attempt.

    watched_seconds: how long this orchestrator has watched it, on its own monotonic clock.
    unchanged_seconds: how long the lease's ETag is unchanged; only successful reads count.
    owner_is_dead, creator_is_dead: known for certain, on this machine.
    """

    attempt: Attempt
    lease: Lease | None
    submitted: bool
    provider_is_final: bool = False
    watched_seconds: float = 0.0
    unchanged_seconds: float = 0.0
    owner_is_dead: bool = False
    creator_is_dead: bool = False


@dataclass
class Watch:
    """How long an attempt is watched, and how long its lease exists or is unchanged.

    All times are seconds of `clock`, this process's own monotonic clock.
    """

    clock: Callable[[], float]
    since: float = field(init=False)
    etag: str = ""
    lease: Lease | None = None
    changed_at: float = field(init=False)
    leased_at: float | None = None
    _last_read_at: float = field(init=False)
    _read_failed: bool = False

    def __post_init__(self) -> None:
        self.since = self.changed_at = self._last_read_at = self.clock()

    def read_failed(self) -> None:
        """A read failed: nothing is known between the last good read and the next one."""
        self._read_failed = True

    def read_succeeded(self) -> None:
        """A read of the lease succeeded; the time of failed reads before it is no evidence."""
        now = self.clock()
        if self._read_failed:
            unknown_seconds = now - self._last_read_at
            self.since += unknown_seconds
            self.changed_at += unknown_seconds
        self._last_read_at, self._read_failed = now, False

    def update(self, lease: Lease, etag: str) -> None:
        """Note a lease that was read; its ETag was read before it."""
        self.lease = lease
        if etag != self.etag:
            self.etag, self.changed_at = etag, self.clock()
            self.leased_at = self.changed_at if self.leased_at is None else self.leased_at

    def died_at(self, lease: Lease | None, etag: str) -> datetime | None:
        """When the owner died, by the owner's own clock; the caller knows that it is dead.

        The last heartbeat says how long the owner had run, and this process's monotonic clock says
        how long ago that was. A heartbeat not seen here came after the last read.

        lease, etag: as they are now.
        """
        if lease is None or lease.usage is None:
            return None
        last_heartbeat_at = self.changed_at if etag == self.etag else self._last_read_at
        return lease.usage.ended_at + timedelta(seconds=self.clock() - last_heartbeat_at)

    @property
    def run_seconds(self) -> float:
        """Since the lease was first seen: the time in a queue does not count as run time."""
        return 0.0 if self.leased_at is None else self.clock() - self.leased_at


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about an attempt, and why; status: how it ended, for the action `close`.

    language: the spoken language. segments: their number. Both only where a result has them.
    """

    action: Action
    reason: str
    status: Status = "lost"
    error_type: str = ""
    language: str = ""
    segments: int | None = None


def observe(attempt: Attempt, watch: Watch, *, submitted: bool, final: bool) -> Observation:
    """What is known about a watched attempt. final: its backend reports that it ended."""
    lease = watch.lease
    owner = lease.usage.place if lease and lease.usage else None
    return Observation(
        attempt=attempt,
        lease=lease,
        submitted=submitted,
        provider_is_final=final,
        watched_seconds=watch.clock() - watch.since,
        unchanged_seconds=watch.clock() - watch.changed_at,
        owner_is_dead=owner is not None and is_known_dead(owner),
        creator_is_dead=is_known_dead(attempt.creator),
    )


def judge(observation: Observation) -> Verdict:
    """Whether to wait for the attempt, to abandon it because it never started, or to close it."""
    if observation.lease is None:
        return _judge_not_started(observation)
    match observation.lease.state:
        case "buried":  # the stored name of an attempt that never started
            return Verdict("close", "abandoned before a worker started it", "buried")
        case "failed":
            return Verdict("close", "the worker reported a failure", "failed")
        case "stopped":
            return Verdict("close", "the worker stopped cleanly", "stopped")
        case "done":
            return Verdict("close", "the worker reported done, but the result is missing", "lost")
        case "running":
            return _judge_running(observation)


def _judge_not_started(observation: Observation) -> Verdict:
    if observation.provider_is_final:
        return Verdict("abandon", "the backend reports that it ended")
    if not observation.submitted and observation.creator_is_dead:
        return Verdict("abandon", "its creator died before submitting it")
    if not observation.submitted and observation.watched_seconds > UNSUBMITTED_SECONDS:
        return Verdict("abandon", f"not submitted within {UNSUBMITTED_SECONDS:.0f} s")
    if observation.watched_seconds > observation.attempt.queue_limit_seconds:
        reason = "its queue limit has passed"
        return Verdict("abandon", reason, error_type=QUEUE_LIMIT)
    return Verdict("wait", "no worker has started it yet")


def _judge_running(observation: Observation) -> Verdict:
    if observation.owner_is_dead and observation.creator_is_dead:
        return Verdict("close", "its run was killed", "lost", INTERRUPTED)
    if observation.owner_is_dead:
        return Verdict("close", "its worker died", "lost")
    if observation.unchanged_seconds > SILENT_SECONDS:
        return Verdict("close", f"no heartbeat for {SILENT_SECONDS:.0f} s", "lost")
    return Verdict("wait", "a worker is running it")


def counted_attempts(attempts: list[Attempt]) -> int:
    """How many attempts count against the job: a worker started them, and we did not end them.

    An attempt that never started cost nothing. One that was interrupted, killed with its run, or
    taken away with its machine says nothing about the job; neither does one that ran out of time,
    since the next one has more.
    """
    ends = [attempt.end for attempt in attempts if attempt.end is not None]
    counted = sum(1 for end in ends if end.started_at and end.error_type not in _NOT_COUNTED)
    return counted - len({one.run_limit_seconds for one in attempts if is_out_of_time(one)})


def is_out_of_time(attempt: Attempt) -> bool:
    """Whether it was stopped at the end of its reservation."""
    return attempt.end is not None and attempt.end.error_type == OUT_OF_TIME
