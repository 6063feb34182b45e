"""Why the work must stop, once somebody has said so."""

import threading
from typing import Literal

Reason = Literal["cancelled", "preempted", "run_limit"]

_SENTENCES: dict[Reason, str] = {
    "cancelled": "somebody cancelled it",
    "preempted": "the machine is about to be taken away",
    "run_limit": "its time was over",
}


class StoppedError(Exception):
    """The work stops here, in good order; what is done so far is kept."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(_SENTENCES[reason])
        self.reason = reason


class Stop:
    """Asked between batches; said by a signal, a provider's notice or a cancelled job.

    Safe to call from any thread and from a signal handler.
    """

    def __init__(self) -> None:
        self._said = threading.Event()
        self.reason: Reason | None = None

    def say(self, reason: Reason) -> None:
        """Stop at the next check; the first reason stays."""
        if self.reason is None:  # a second signal that comes within `set` must not wait for it
            self.reason = reason
            self._said.set()

    def check(self) -> None:
        """Raises StoppedError once somebody has said so."""
        if self.reason is not None:
            raise StoppedError(self.reason)

    def wait(self, seconds: float) -> bool:
        """Whether somebody said so within that time."""
        return self._said.wait(seconds)
