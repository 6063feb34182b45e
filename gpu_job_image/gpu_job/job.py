"""One attempt, from its request to its result (paid once, rules 3 to 8)."""

from . import transfer
from .attempt import Attempt, Report
from .claims import Ownership
from .contract import CONTRACT_VERSION, JobError, JobRequest
from .models import Models
from .outcome import Outcome, error_of, stopped
from .prepare import Preparing
from .stop import Stop, StoppedError
from .transfer import TransferError

__all__ = ["Outcome", "Report", "run_job"]


def run_job(
    request: JobRequest,
    models: Models,
    report: Report,
    stop: Stop | None = None,
    preparing: Preparing | None = None,
) -> Outcome:
    """Do the job unless it is done or somebody else's, and write its result once.

    Args:
        request: the attempt.
        models: loaded before.
        report: told the milliseconds of speech done.
        stop: asked between batches.
        preparing: the audio, where somebody fetches it already.
    """
    if request.version > CONTRACT_VERSION:
        return Outcome("failed", _of_a_later_version(request))
    if stop is not None and stop.reason is not None:
        return Outcome("stopped", stopped(StoppedError(stop.reason)))  # and without a claim
    try:
        if transfer.read_surely(request.addresses.result_read) is not None:
            return Outcome("duplicate")
        owner = Ownership.take(request, models.session)
    except TransferError as error:
        return Outcome("failed", error_of(error))
    if owner is None:
        return Outcome("duplicate")
    outcome = Attempt(request, models, owner, report, stop or Stop()).run(preparing)
    models.retirement.job_done(broken=outcome.retire)
    return Outcome(outcome.state, outcome.error, models.retirement.reason)


def _of_a_later_version(request: JobRequest) -> JobError:
    """A worker of the old version would do the wrong thing: that is why the number rose."""
    return JobError(
        code="internal",
        permanent=False,
        message=f"The job is of version {request.version} of the contract, and this worker knows "
        f"{CONTRACT_VERSION}: deploy the worker of the orchestrator's own version.",
    )
