"""What a worker says of itself: JSON lines on its standard output.

{"event": "ready" | "fatal" | "progress" | "ended" | "retired"}. They are hints; what counts
stands in the bucket.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from .job import Outcome

Say = Callable[..., None]


@contextlib.contextmanager
def voice() -> Iterator[Say]:
    """Events on the real standard output; whatever a library prints goes to standard error."""
    with os.fdopen(os.dup(1), "w", buffering=1) as channel:
        os.dup2(2, 1)
        try:
            yield lambda **event: _write(channel, event)
        finally:
            os.dup2(channel.fileno(), 1)


def ending(outcome: Outcome) -> dict[str, Any]:
    """How a job ended, and whether this process takes another."""
    error = outcome.error.model_dump() if outcome.error else None
    return {"state": outcome.state, "error": error, "retire": outcome.retire}


def _write(channel: TextIO, event: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # the lifeline ends the process
        channel.write(json.dumps(event) + "\n")
