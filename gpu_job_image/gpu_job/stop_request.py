"""A request to stop the work, with its reason."""

import threading
from typing import Literal

# preempted: the provider gave notice; terminated: a signal, whoever sent it
Reason = Literal["cancelled", "preempted", "run_limit", "terminated"]

_SENTENCES: dict[Reason, str] = {
    "cancelled": "the job was cancelled",
    "preempted": "the machine is about to be reclaimed",
    "run_limit": "the job reached its time limit",
    "terminated": "the process was asked to end",
}


class StoppedError(Exception):
    """The work stops here as requested; what is done so far is saved."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(_SENTENCES[reason])
        self.reason = reason


class Stop:
    """A stop flag, set by a signal, a notice or a cancelled job, and checked between batches.

    Safe to call from any thread and from a signal handler.
    """

    def __init__(self) -> None:
        self._requested = threading.Event()
        self.reason: Reason | None = None

    def request(self, reason: Reason) -> None:
        """Stop the work at its next check; the first reason is kept."""
        if self.reason is None:  # a second signal within `set` must not wait for it
            self.reason = reason
            self._requested.set()

    def check(self) -> None:
        """Raise StoppedError if a stop was requested."""
        if self.reason is not None:
            raise StoppedError(self.reason)

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`; returns whether a stop was requested."""
        return self._requested.wait(seconds)
