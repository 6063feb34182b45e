"""What to do about a damaged object of a job, so that nothing is paid for twice."""

from typing import Final

from resources.storage.read_documents import DamagedError, delete_and_run

_MEND_RESULT: Final = (
    "Restore {key!r} from a backup, or delete it; the next run then does the job again, which may "
    "cost money."
)
_KEEP_RESULT: Final = (
    "Keep {key!r}: it is paid for, and its size alone is no damage. Raise RESULTS in "
    "gpu_job/contract/documents.py; the next run then reads it."
)
_MEND_CLAIM: Final = (
    "Run again in a minute: a worker that is alive writes {key!r} again. Do not delete it: without "
    "it, the job may be paid for twice."
)


def mending_advice(name: str, key: str) -> str:
    """The sentence that names the key."""
    if name == "result.json":
        return _MEND_RESULT.format(key=key)
    return _MEND_CLAIM.format(key=key) if name.startswith("claim-") else delete_and_run(key)


def kept_if_paid(error: DamagedError, name: str, key: str) -> DamagedError:
    """The error with other advice if a paid result is only too large."""
    if name == "result.json" and error.is_too_large:
        return DamagedError(key, error.reason, _KEEP_RESULT.format(key=key))
    return error
