"""The loop of a worker that reads jobs from its parent process."""

import sys
from dataclasses import replace

from pydantic import ValidationError

from .audio_download import Preparing
from .common.errors import JobFailedError, places_of
from .common.settings import WorkerSettings
from .contract import JobRequest
from .event_stream import Emit, ended_fields, event_stream
from .job import AttemptOutcome, Report, run_job
from .models import Models, load_models
from .parent_pipe import ParentPipe
from .signals import stopped_by_signals
from .stop_request import Stop

NO_MODELS_EXIT = NO_REQUEST_EXIT = 2


def serve(settings: WorkerSettings) -> int:
    """Process jobs until the parent sends the farewell, or until this process must not continue.

    Exit status: 0, or 2 if the models do not load or the parent sends an invalid request.
    """
    stop = Stop()
    with event_stream() as emit:
        # a separate reader: Python aborts at exit while a thread holds the lock of sys.stdin
        parent = ParentPipe(open(0, "rb", closefd=False))  # noqa: SIM115
        with stopped_by_signals(stop, ctrl_c=False, also=lambda: parent.lines.put(None)):
            try:
                models = load_models(settings)
            except JobFailedError as error:
                emit(event="fatal", code=error.error.code, message=str(error))
                return NO_MODELS_EXIT
            emit(event="ready", load_seconds=round(models.load_seconds, 3))
            while stop.reason is None and (line := parent.lines.get()) is not None:
                request = _request_in(line)
                if request is None:
                    return NO_REQUEST_EXIT
                if run_reported(request, models, emit, stop).retire:
                    break
    return 0


def _request_in(line: bytes) -> JobRequest | None:
    """The request of a line; None if it is invalid, logged without values that may be addresses."""
    try:
        return JobRequest.model_validate_json(line)
    except ValidationError as error:
        places = places_of(error)
        sys.stderr.write(
            f"gpu_job: a line is not a job request (see: {places or 'the whole line'})\n"
        )
        return None


def run_reported(
    request: JobRequest,
    models: Models,
    emit: Emit,
    stop: Stop,
    preparing: Preparing | None = None,
) -> AttemptOutcome:
    """Run one job; emit events for its progress and its end."""
    name = {"job": request.job, "attempt": request.attempt}

    def report(done_ms: int) -> None:
        emit(event="progress", done_ms=done_ms, **name)

    outcome = _guarded(request, models, report, stop, preparing)
    # otherwise a parent could send another job to a process that is about to stop
    last = outcome.retire or (f"a stop was requested: {stop.reason}" if stop.reason else "")
    emit(event="ended", **ended_fields(replace(outcome, retire=last)), **name)
    return outcome


def _guarded(
    request: JobRequest,
    models: Models,
    report: Report,
    stop: Stop,
    preparing: Preparing | None,
) -> AttemptOutcome:
    """A job that fails before it takes its lease does not affect the other jobs of a manifest."""
    try:
        return run_job(request, models, report, stop, preparing)
    except Exception as error:  # noqa: BLE001
        sys.stderr.write(f"job {request.job[:12]}: {type(error).__name__}\n")
        return AttemptOutcome("failed")
