"""The worker's side of a lease: take it, renew it by heartbeats, fence itself, end it.

Rules 3 to 6 and 8 of docs/idempotency.md. A lease is created once and never taken over; only its
owner rewrites it; an owner without a successful heartbeat for 120 s stops and writes nothing more.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from . import transfer
from .contract import JobError, JobRequest, Lease, Timings, Usage
from .contract.documents import DamagedDocumentError, read_document
from .session import WorkerSession
from .transfer import Put

HEARTBEAT_SECONDS = 30.0
FENCE_SECONDS = 120.0
_CREATE_TRIES = 5
_END_TRIES = 5


class FencedError(Exception):
    """No heartbeat arrived for too long: the lease may have expired, so its owner stops writing."""


def clock_seconds() -> float:
    """Monotonic seconds that include suspend time (CLOCK_BOOTTIME, if available)."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class LeaseOwnership:
    """A lease that this process holds. Created by `take`."""

    def __init__(self, request: JobRequest, usage: Usage, clock: Callable[[], float]) -> None:
        self._request = request
        self._clock = clock
        self.nonce = secrets.token_hex(8)  # per delivery: an attempt may be delivered twice
        self._lock = threading.Lock()
        self._sending = threading.Lock()  # one heartbeat at a time: an older one never lands last
        self._began = self._last_heartbeat = clock()
        self._fenced = False
        self.usage = usage
        self._session: WorkerSession | None = None

    @classmethod
    def take(
        cls, request: JobRequest, session: WorkerSession, clock: Callable[[], float] = clock_seconds
    ) -> "LeaseOwnership | None":
        """Take the lease of this attempt; None if another owner has it."""
        mine = cls(request, session.usage(request.model_revision), clock)
        if not mine._create():
            return None
        session.jobs += 1
        mine._session = session
        return mine

    def _create(self) -> bool:
        """Whether this process owns the lease now (docs/idempotency.md, rule 4)."""
        body, addresses = self._lease_body("running"), self._request.addresses
        for pause in transfer.PAUSES_SECONDS[:_CREATE_TRIES]:
            outcome = transfer.put(addresses.claim_create, body)
            if outcome is Put.WRITTEN:
                return True
            # None also if the store does not answer: an earlier try may have created the lease
            existing = transfer.read_if_reachable(addresses.claim_read)
            if existing is not None:
                return self._is_mine(existing)
            time.sleep(pause)
        raise transfer.TransferError("the lease could be neither created nor read")

    def note(self, timings: Timings, **more: int) -> None:
        """Update the usage that the next heartbeat sends."""
        with self._lock:
            self.usage = self.usage.model_copy(update={"timings": timings, **more})

    def beat(self) -> None:
        """Send a heartbeat now, so that the store knows what the usage says."""
        self._renew("running")

    def check(self) -> None:
        """Raise FencedError once FENCE_SECONDS have passed without a successful heartbeat."""
        if self._is_fenced():
            raise FencedError(f"no heartbeat reached the bucket for {FENCE_SECONDS:.0f} s")

    @property
    def may_write(self) -> bool:
        """Whether heartbeats arrive; a fenced owner writes nothing more."""
        return not self._is_fenced()

    @contextmanager
    def heartbeats(self, every_seconds: float = HEARTBEAT_SECONDS) -> Iterator[None]:
        """Send heartbeats from a thread while the block runs."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(every_seconds):
                self._renew("running")

        thread = threading.Thread(target=renew, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def usage_now(self) -> Usage:
        """The usage up to this moment, by a monotonic clock."""
        with self._lock:
            ran = timedelta(seconds=self._clock() - self._began)
            ended_at = self.usage.started_at + ran
            self.usage = self.usage.model_copy(update={"ended_at": ended_at})
            if self._session is not None:
                self._session.reported_until = ended_at
            return self.usage

    def end(self, state: str, error: JobError | None = None) -> None:
        """Write the final state (done, failed or stopped) and the usage, with retries.

        A lease that still says `running` costs the orchestrator five minutes of waiting.
        """
        for pause in transfer.PAUSES_SECONDS[:_END_TRIES]:
            if self._renew(state, error) or self._is_fenced():
                return
            time.sleep(pause)

    def _is_fenced(self) -> bool:
        """Permanent: a machine that resumes after minutes must not renew its lease."""
        if self._clock() - self._last_heartbeat > FENCE_SECONDS:
            self._fenced = True
        return self._fenced

    def _renew(self, state: str, error: JobError | None = None) -> bool:
        """Whether the heartbeat arrived."""
        with self._sending:
            return self._sent(state, error)

    def _sent(self, state: str, error: JobError | None) -> bool:
        if self._is_fenced():
            return False
        sent_at = self._clock()
        try:
            outcome = transfer.put(
                self._request.addresses.claim_beat, self._lease_body(state, error)
            )
        except (transfer.TransferError, OSError):
            return False  # the fence counts from the last successful heartbeat
        if outcome is Put.WRITTEN:
            self._last_heartbeat = sent_at
        return outcome is Put.WRITTEN

    def _lease_body(self, state: str, error: JobError | None = None) -> bytes:
        lease = Lease(nonce=self.nonce, state=state, usage=self.usage_now(), error=error)
        return lease.model_dump_json().encode()

    def _is_mine(self, body: bytes) -> bool:
        try:
            return read_document(body, Lease).nonce == self.nonce
        except DamagedDocumentError:
            return False  # whoever wrote it, it is not what this process sent
