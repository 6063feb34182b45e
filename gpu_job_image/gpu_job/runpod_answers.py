"""What RunPod is told of a job: a pointer, never a transcript, never an address."""

from typing import Any

from pydantic import ValidationError

from .contract import JobError, JobRequest
from .errors import places_of
from .job import Outcome

_NOBODY_KNOWS = "the attempt ended without a word; its claim in the bucket tells how far it came"


class NoRequestError(Exception):
    """A delivery that holds no job request of this version; says where it is wrong."""


def request_of(delivery: dict[str, Any]) -> JobRequest:
    """The job request that lies in a delivery's `input`.

    Raises:
        NoRequestError: names the fields, never what they hold.
    """
    try:
        return JobRequest.model_validate(delivery.get("input"))
    except ValidationError as error:
        raise NoRequestError(
            "the job's input is no request of this worker's version "
            f"(see: {places_of(error) or 'input'}). "
            "Deploy the image of the orchestrator's own version."
        ) from None


def answer(request: JobRequest, outcome: Outcome) -> dict[str, Any]:
    """A dict with `error` makes the job FAILED; `refresh_worker` makes RunPod stop this worker."""
    pointer: dict[str, Any] = {
        "job": request.job,
        "attempt": request.attempt,
        "state": outcome.state,
    }
    if outcome.retire:
        pointer["refresh_worker"] = True
    if outcome.state in {"done", "duplicate"}:
        return pointer
    return pointer | told(outcome.error or internal(_NOBODY_KNOWS))


def told(error: JobError) -> dict[str, str]:
    """The error as RunPod keeps it: one string."""
    return {"error": error.model_dump_json()}


def internal(message: str, *, permanent: bool = False) -> JobError:
    """A failure that is not the recording's."""
    return JobError(code="internal", permanent=permanent, message=message)


def given_back(message: str) -> JobError:
    """Of a job that was not begun: it says nothing about the job, nor about its backend."""
    return JobError(code="cancelled", permanent=False, message=message)


def progress_of(request: JobRequest, done_ms: int) -> dict[str, Any]:
    """In seconds of speech, as the status of the job shows it."""
    return {
        "job": request.job,
        "attempt": request.attempt,
        "audio_seconds_done": round(done_ms / 1000, 1),
        "audio_seconds": round(request.speech_ms / 1000, 1),
    }
