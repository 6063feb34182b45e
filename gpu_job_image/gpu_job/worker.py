"""The loop of a worker that a parent feeds: ready, then one job after another.

Speaks JSON lines on its standard output: {"event": "ready" | "fatal" | "progress" | "ended"}.
They are hints; what counts stands in the bucket.
"""

import contextlib
import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from .contract import JobRequest
from .job import Models, Outcome, run_job
from .lifeline import Lifeline
from .settings import WorkerSettings
from .speech import ModelMissingError, Transcriber

Say = Callable[..., None]


def serve(settings: WorkerSettings) -> int:
    """Work until the parent says farewell. Exit status: 0, or 2 when the models do not load."""
    with _voice() as say:
        # a reader of its own: Python aborts at exit where a thread holds the one of sys.stdin
        lifeline = Lifeline(open(0, "rb", closefd=False))  # noqa: SIM115
        try:
            models = load_models(settings)
        except ModelMissingError as error:
            say(event="fatal", message=str(error))
            return 2
        say(event="ready", load_seconds=round(models.load_seconds, 3))
        while (line := lifeline.lines.get()) is not None:
            _one(JobRequest.model_validate_json(line), models, say)
    return 0


def load_models(settings: WorkerSettings) -> Models:
    """Everything a job may need, before the first claim is taken.

    Raises:
        ModelMissingError: with what was tried and what to do.
    """
    since = time.perf_counter()
    transcriber = Transcriber.load(settings)
    diarizer = None
    if settings.diarizer == "light":
        from .diarize.light import LightDiarizer  # noqa: PLC0415

        diarizer = LightDiarizer(settings.models / "speaker-demo.onnx")
    return Models(
        transcriber=transcriber,
        diarizer=diarizer,
        worker=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}",
        load_seconds=time.perf_counter() - since,
    )


def run_files(paths: list[Path], settings: WorkerSettings) -> int:
    """Work through request files. Exit status: 0 when all are done, else 1."""
    models = load_models(settings)
    outcomes = [
        run_job(JobRequest.model_validate_json(path.read_bytes()), models, lambda _: None)
        for path in paths
    ]
    return 0 if all(outcome.state in {"done", "duplicate"} for outcome in outcomes) else 1


def _one(request: JobRequest, models: Models, say: Say) -> None:
    name: dict[str, Any] = {"job": request.job, "attempt": request.attempt}
    outcome = _guarded(request, models, lambda done: say(event="progress", done_ms=done, **name))
    error = outcome.error.model_dump() if outcome.error else None
    say(event="ended", state=outcome.state, error=error, **name)


def _guarded(request: JobRequest, models: Models, report: Callable[[int], None]) -> Outcome:
    """A job that could not even be claimed costs no other job of the batch."""
    try:
        return run_job(request, models, report)
    except Exception as error:  # noqa: BLE001
        sys.stderr.write(f"job {request.job[:12]}: {type(error).__name__}\n")
        return Outcome("failed")


@contextlib.contextmanager
def _voice() -> Iterator[Say]:
    """Events on the real standard output; whatever a library prints goes to standard error."""
    with os.fdopen(os.dup(1), "w", buffering=1) as channel:
        os.dup2(2, 1)
        yield lambda **event: _write(channel, event)


def _write(channel: TextIO, event: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # the lifeline ends the process
        channel.write(json.dumps(event) + "\n")
