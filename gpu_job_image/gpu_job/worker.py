"""The loop of a worker that a parent feeds: ready, then one job after another."""

import sys
from dataclasses import replace

from pydantic import ValidationError

from .contract import JobRequest
from .errors import JobFailedError, places_of
from .job import Outcome, Report, run_job
from .lifeline import Lifeline
from .models import Models, load_models
from .prepare import Preparing
from .settings import WorkerSettings
from .signals import stopped_by_signals
from .stop import Stop
from .voice import Say, ending, voice

NO_MODELS_EXIT = NO_REQUEST_EXIT = 2


def serve(settings: WorkerSettings) -> int:
    """Work until the parent says farewell, or until this process must not go on.

    Exit status: 0, or 2 when the models do not load, or the parent speaks another language.
    """
    stop = Stop()
    with voice() as say:
        # a reader of its own: Python aborts at exit where a thread holds the one of sys.stdin
        lifeline = Lifeline(open(0, "rb", closefd=False))  # noqa: SIM115
        with stopped_by_signals(stop, ctrl_c=False, also=lambda: lifeline.lines.put(None)):
            try:
                models = load_models(settings)
            except JobFailedError as error:
                say(event="fatal", code=error.error.code, message=str(error))
                return NO_MODELS_EXIT
            say(event="ready", load_seconds=round(models.load_seconds, 3))
            while stop.reason is None and (line := lifeline.lines.get()) is not None:
                request = _request_in(line)
                if request is None:
                    return NO_REQUEST_EXIT
                if one(request, models, say, stop).retire:
                    break
    return 0


def _request_in(line: bytes) -> JobRequest | None:
    """None, and a word on it, where it is none: pydantic's own would show what it holds."""
    try:
        return JobRequest.model_validate_json(line)
    except ValidationError as error:
        places = places_of(error)
        sys.stderr.write(f"gpu_job: a line is no job request (see: {places or 'all of it'})\n")
        return None


def one(
    request: JobRequest,
    models: Models,
    say: Say,
    stop: Stop,
    preparing: Preparing | None = None,
) -> Outcome:
    """One job, told of as it goes on and when it ends."""
    name = {"job": request.job, "attempt": request.attempt}

    def report(done_ms: int) -> None:
        say(event="progress", done_ms=done_ms, **name)

    outcome = _guarded(request, models, report, stop, preparing)
    # a parent would hand a process that was told to stop another job before it is gone
    last = outcome.retire or (f"it was told to stop: {stop.reason}" if stop.reason else "")
    say(event="ended", **ending(replace(outcome, retire=last)), **name)
    return outcome


def _guarded(
    request: JobRequest,
    models: Models,
    report: Report,
    stop: Stop,
    preparing: Preparing | None,
) -> Outcome:
    """A job that could not even be claimed costs no other job of the batch."""
    try:
        return run_job(request, models, report, stop, preparing)
    except Exception as error:  # noqa: BLE001
        sys.stderr.write(f"job {request.job[:12]}: {type(error).__name__}\n")
        return Outcome("failed")
