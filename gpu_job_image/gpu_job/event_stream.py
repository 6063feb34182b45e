"""Events of a worker: JSON lines on its standard output.

{"event": "ready" | "fatal" | "progress" | "ended" | "retired"}. They are hints; the bucket holds
the facts.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from .job import AttemptOutcome

Emit = Callable[..., None]


@contextlib.contextmanager
def event_stream() -> Iterator[Emit]:
    """Events on the real standard output; the output of libraries goes to standard error."""
    with os.fdopen(os.dup(1), "w", buffering=1) as channel:
        os.dup2(2, 1)
        try:
            yield lambda **event: _write(channel, event)
        finally:
            os.dup2(channel.fileno(), 1)


def ended_fields(outcome: AttemptOutcome) -> dict[str, Any]:
    """The fields of an `ended` event: how a job ended, and whether this process continues."""
    error = outcome.error.model_dump() if outcome.error else None
    return {"state": outcome.state, "error": error, "retire": outcome.retire}


def _write(channel: TextIO, event: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # the parent is gone: `ParentPipe` ends the process
        channel.write(json.dumps(event) + "\n")
