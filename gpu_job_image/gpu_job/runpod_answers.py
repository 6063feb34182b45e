"""Answers to RunPod about a job: a pointer to it, never a transcript or an address."""

from typing import Any

from pydantic import ValidationError

from .common.errors import places_of
from .contract import JobError, JobRequest
from .job import AttemptOutcome

_NO_MESSAGE = "the attempt ended without an error message; see its lease in the bucket"


class NoRequestError(Exception):
    """A delivery without a valid job request; the message names the invalid fields."""


def request_of(delivery: dict[str, Any]) -> JobRequest:
    """The job request in a delivery's `input`.

    Raises:
        NoRequestError: names the invalid fields, never their values.
    """
    try:
        return JobRequest.model_validate(delivery.get("input"))
    except ValidationError as error:
        raise NoRequestError(
            "the job's input is not a request of this worker's version "
            f"(see: {places_of(error) or 'input'}). "
            "Deploy the worker image of the orchestrator's version."
        ) from None


def answer(request: JobRequest, outcome: AttemptOutcome) -> dict[str, Any]:
    """The handler's answer: `error` makes the job FAILED, `refresh_worker` stops this worker."""
    pointer: dict[str, Any] = {
        "job": request.job,
        "attempt": request.attempt,
        "state": outcome.state,
    }
    if outcome.retire:
        pointer["refresh_worker"] = True
    if outcome.state in {"done", "duplicate"}:
        return pointer
    return pointer | error_answer(outcome.error or internal(_NO_MESSAGE))


def error_answer(error: JobError) -> dict[str, str]:
    """The error as RunPod stores it: one string."""
    return {"error": error.model_dump_json()}


def internal(message: str, *, permanent: bool = False) -> JobError:
    """A failure that the recording did not cause."""
    return JobError(code="internal", permanent=permanent, message=message)


def given_back(message: str) -> JobError:
    """The error of a job that was not started: it says nothing about the job or the backend."""
    return JobError(code="cancelled", permanent=False, message=message)


def progress_of(request: JobRequest, done_ms: int) -> dict[str, Any]:
    """Progress in seconds of speech, for the job's status on RunPod."""
    return {
        "job": request.job,
        "attempt": request.attempt,
        "audio_seconds_done": round(done_ms / 1000, 1),
        "audio_seconds": round(request.speech_ms / 1000, 1),
    }
