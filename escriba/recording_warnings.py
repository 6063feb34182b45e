"""Warnings about recordings that can still be used.

One type for all sources of warnings and for every place that shows them: `run`, `status`, `show`,
the diarized JSON, Dagster's UI and the nightly digest.
"""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, model_validator

from gpu_job.contract import JobWarning

NOBODY_SPEAKS = "nobody_speaks"
NO_SPEAKERS = "no_speakers"  # the job for the speakers failed
# Faults that the worker repairs itself: the result is correct, and nobody needs to check it.
REPAIRED = frozenset({"heard_again"})


class RecordingWarning(BaseModel):
    """One warning about a recording.

    code: stable, in snake_case; warnings are counted and filtered by it.
    message: a sentence with its values. It holds no file name and no spoken word, since it reaches
        logs and Dagster's events.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    message: str

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_record(cls, value: object) -> object:
        """Records of older versions hold only the message."""
        return {"code": "other", "message": value} if isinstance(value, str) else value


def once(warnings: Iterable[RecordingWarning]) -> tuple[RecordingWarning, ...]:
    """The warnings without duplicates, in their order."""
    return tuple(dict.fromkeys(warnings))


def warnings_of_job(warnings: Iterable[JobWarning]) -> tuple[RecordingWarning, ...]:
    """The warnings of a worker, without duplicates, times and spoken words."""
    return once(
        RecordingWarning(code=warning.code, message=warning.message)
        for warning in warnings
        if warning.code not in REPAIRED
    )
