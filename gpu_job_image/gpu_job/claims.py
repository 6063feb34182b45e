"""The worker's side of paid once: take a claim, keep it alive, fence oneself, end it.

Rules 3 to 6 and 8 of the protocol (docs/architecture.md). A claim is created and never taken
over; its owner alone writes it again; an owner that has not been heard for 120 s stops and
writes nothing more.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from . import transfer
from .contract import Claim, JobError, JobRequest, Timings, Usage
from .session import Session
from .transfer import Put

BEAT_SECONDS = 30.0
FENCE_SECONDS = 120.0
_CREATE_TRIES = 5
_END_TRIES = 5


class FencedError(Exception):
    """The owner was not heard for too long: somebody may have buried it, so it writes nothing."""


def clock_seconds() -> float:
    """Seconds that go on while the machine sleeps (CLOCK_BOOTTIME where there is one)."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class Ownership:
    """A claim that this process holds. Made by `take`."""

    def __init__(self, request: JobRequest, usage: Usage, clock: Callable[[], float]) -> None:
        self._request = request
        self._clock = clock
        self.nonce = secrets.token_hex(8)  # of this delivery: one attempt may be delivered twice
        self._lock = threading.Lock()
        self._began = self._last_good_beat = clock()
        self._fenced = False
        self.usage = usage
        self._session: Session | None = None

    @classmethod
    def take(
        cls, request: JobRequest, session: Session, clock: Callable[[], float] = clock_seconds
    ) -> "Ownership | None":
        """The claim of this attempt, or None where somebody else has it."""
        mine = cls(request, session.usage(request.model_revision), clock)
        if not mine._create():
            return None
        session.jobs += 1
        mine._session = session
        return mine

    def _create(self) -> bool:
        """Whether the claim is this process's own now (paid once, rule 4)."""
        body, addresses = self._claim("running"), self._request.addresses
        for pause in transfer.PAUSES_SECONDS[:_CREATE_TRIES]:
            outcome = transfer.put(addresses.claim_create, body)
            if outcome is Put.WRITTEN:
                return True
            # None also where it exists and the store does not say: an earlier try may have made it
            seen = transfer.seen(addresses.claim_read)
            if seen is not None:
                return self._is_mine(seen)
            time.sleep(pause)
        raise transfer.TransferError("the claim could neither be created nor read")

    def note(self, timings: Timings, **more: int) -> None:
        """Keep what the next beat shall tell."""
        with self._lock:
            self.usage = self.usage.model_copy(update={"timings": timings, **more})

    def check(self) -> None:
        """Raises FencedError when the last good beat is over FENCE_SECONDS old, or once was."""
        if self._is_fenced():
            raise FencedError(f"no beat reached the bucket for {FENCE_SECONDS:.0f} s")

    @property
    def is_heard(self) -> bool:
        """Whether its beats arrive: one that is not heard writes nothing any more."""
        return not self._is_fenced()

    @contextmanager
    def beating(self, every_seconds: float = BEAT_SECONDS) -> Iterator[None]:
        """Beat in a thread of its own while the block runs."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(every_seconds):
                self._beat("running")

        thread = threading.Thread(target=beat, name="beat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def usage_now(self) -> Usage:
        """The usage up to this moment, by a clock that nobody sets."""
        with self._lock:
            ran = timedelta(seconds=self._clock() - self._began)
            ended_at = self.usage.started_at + ran
            self.usage = self.usage.model_copy(update={"ended_at": ended_at})
            if self._session is not None:
                self._session.told_until = ended_at
            return self.usage

    def end(self, state: str, error: JobError | None = None) -> None:
        """The last beat: done, failed or stopped, with the usage; tried for some seconds.

        A claim that says `running` for ever costs the orchestrator five minutes of waiting.
        """
        for pause in transfer.PAUSES_SECONDS[:_END_TRIES]:
            if self._beat(state, error) or self._is_fenced():
                return
            time.sleep(pause)

    def _is_fenced(self) -> bool:
        """For good: a machine that wakes up after minutes must not beat itself alive again."""
        if self._clock() - self._last_good_beat > FENCE_SECONDS:
            self._fenced = True
        return self._fenced

    def _beat(self, state: str, error: JobError | None = None) -> bool:
        """Whether it arrived."""
        if self._is_fenced():
            return False
        sent_at = self._clock()
        try:
            outcome = transfer.put(self._request.addresses.claim_beat, self._claim(state, error))
        except (transfer.TransferError, OSError):
            return False  # the fence counts the time since the last good one
        if outcome is Put.WRITTEN:
            self._last_good_beat = sent_at
        return outcome is Put.WRITTEN

    def _claim(self, state: str, error: JobError | None = None) -> bytes:
        claim = Claim(nonce=self.nonce, state=state, usage=self.usage_now(), error=error)
        return claim.model_dump_json().encode()

    def _is_mine(self, body: bytes) -> bool:
        return Claim.model_validate_json(body).nonce == self.nonce
