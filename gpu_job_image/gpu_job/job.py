"""One attempt, from its request to its result (docs/idempotency.md, rules 3 to 8)."""

from . import transfer
from .attempt import Report, RunningAttempt
from .attempt_outcome import AttemptOutcome, error_of, stopped
from .audio_download import Preparing
from .contract import CONTRACT_VERSION, JobError, JobRequest
from .lease_ownership import LeaseOwnership
from .models import Models
from .stop_request import Stop, StoppedError
from .transfer import TransferError

__all__ = ["AttemptOutcome", "Report", "run_job"]


def run_job(
    request: JobRequest,
    models: Models,
    report: Report,
    stop: Stop | None = None,
    preparing: Preparing | None = None,
) -> AttemptOutcome:
    """Run the job unless it is done or another owner has it, and write its result once.

    Args:
        request: the attempt.
        models: the loaded models.
        report: called with the milliseconds of speech done.
        stop: checked between batches.
        preparing: the audio, if it is already being downloaded.
    """
    if request.version > CONTRACT_VERSION:
        return AttemptOutcome("failed", _version_error(request))
    if stop is not None and stop.reason is not None:
        return AttemptOutcome(
            "stopped", stopped(StoppedError(stop.reason))
        )  # without taking the lease
    try:
        if transfer.read_surely(request.addresses.result_read) is not None:
            return AttemptOutcome("duplicate")
        owner = LeaseOwnership.take(request, models.session)
    except TransferError as error:
        return AttemptOutcome("failed", error_of(error))
    if owner is None:
        return AttemptOutcome("duplicate")
    outcome = RunningAttempt(request, models, owner, report, stop or Stop()).run(preparing)
    models.retirement.job_done(broken=outcome.retire)
    return AttemptOutcome(outcome.state, outcome.error, models.retirement.reason)


def _version_error(request: JobRequest) -> JobError:
    """The error for a request that this worker is too old to process correctly."""
    return JobError(
        code="internal",
        permanent=False,
        message=f"The job uses version {request.version} of the contract, and this worker supports "
        f"version {CONTRACT_VERSION}: deploy the worker image of the orchestrator's version.",
    )
