"""When the newest backup was finished."""

from datetime import datetime
from typing import Final

from resources.storage.base import Storage, StoredObject

_BACKUPS: Final = "backups/"
_MANIFEST: Final = "/manifest.json"  # written last


def newest_backup(storage: Storage) -> datetime | None:
    """The time of the newest manifest below `backups/`; None: this bucket has no backup.

    Raises:
        StorageError: the bucket cannot be listed.
    """
    times = (
        found.modified
        for found in storage.list(_BACKUPS)
        if isinstance(found, StoredObject) and found.key.endswith(_MANIFEST)
    )
    return max(times, default=None)
