"""What to do about a damaged object of a job, so that nothing is paid for twice."""

from typing import Final

from resources.storage.read_documents import delete_and_run

_MEND_RESULT: Final = (
    "Restore {key!r} from a backup, or delete it; the next run then does the job again, which may "
    "cost money."
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
