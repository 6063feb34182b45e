"""What is odd about a recording that can be used all the same.

One type for whoever notices, and for every place that tells it: `run`, `status`, `show`, the
diarized JSON, Dagster's UI and the digest of the night.
"""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict, model_validator

from gpu_job.contract import JobWarning

NOBODY_SPEAKS = "nobody_speaks"
# What the worker mends by itself: the result is as it should be, and nobody has to look.
MENDED = frozenset({"heard_again"})


class RecordingWarning(BaseModel):
    """One thing that people may want to know of a recording.

    code: stable, in snake_case: by it warnings are counted and filtered.
    message: a sentence with its values; no file's name and no word that somebody said, for it
        reaches logs and Dagster's events.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    message: str

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_record(cls, value: object) -> object:
        """Records of older versions hold the sentence alone."""
        return {"code": "other", "message": value} if isinstance(value, str) else value


def once(warnings: Iterable[RecordingWarning]) -> tuple[RecordingWarning, ...]:
    """Each of them once, in their order."""
    return tuple(dict.fromkeys(warnings))


def warnings_of_job(warnings: Iterable[JobWarning]) -> tuple[RecordingWarning, ...]:
    """What a worker says of a recording: each kind once, without the places and the words."""
    return once(_told(warnings))


def _told(warnings: Iterable[JobWarning]) -> Iterator[RecordingWarning]:
    for warning in warnings:
        if warning.code not in MENDED:
            yield RecordingWarning(code=warning.code, message=warning.message)
