"""All findings of `escriba doctor --deep`."""

from collections.abc import Collection
from datetime import datetime, timedelta

from resources.storage.base import Storage

from .findings import DeepFinding
from .open_jobs import open_findings
from .past_jobs import past_findings


def diagnose(
    storage: Storage, now: datetime, *, days: int, running_keys: Collection[str] = ()
) -> list[DeepFinding]:
    """The findings about what is under way, then about the last days.

    running_keys: partitions of Dagster's runs in progress.

    Raises:
        StorageError: the store does not answer, or a file of the ledger is damaged.
    """
    since = now - timedelta(days=days)
    return [*open_findings(storage, running_keys, now), *past_findings(storage, since)]
