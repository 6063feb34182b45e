"""Manifests in the bucket, from an event loop: written when needed, deleted in the background."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from escriba.text_for.plain_lines import log_line
from gpu_job.contract import JobRequest
from resources.storage.base import Storage, StorageError
from resources.storage.clock import utc_now

from .manifests import delete_expired, delete_manifest, write_manifest

logger = logging.getLogger(__name__)


class ManifestStore:
    """A failed deletion is only logged: what stays behind is deleted a week later."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._deleting: set[asyncio.Task[None]] = set()
        self._looked = False

    async def write(self, name: str, requests: Sequence[JobRequest], life: timedelta) -> str:
        """Write a manifest; returns its signed address.

        Raises:
            StorageError: it could not be written.
        """
        if not self._looked:  # once in a process
            self._looked = True
            self._soon(lambda: delete_expired(self._storage, utc_now()))
        return await asyncio.to_thread(write_manifest, self._storage, name, requests, life)

    def delete_soon(self, name: str) -> None:
        """Delete a manifest in the background, if it is there."""
        if name:
            self._soon(lambda: delete_manifest(self._storage, name))

    async def close(self) -> None:
        """Wait for the deletions."""
        await asyncio.gather(*self._deleting)

    def _soon(self, delete: Callable[[], object]) -> None:
        task = asyncio.create_task(self._delete(delete), name="manifests-deleted")
        self._deleting.add(task)
        task.add_done_callback(self._deleting.discard)

    async def _delete(self, delete: Callable[[], object]) -> None:
        try:
            await asyncio.to_thread(delete)
        except StorageError as error:
            logger.warning("A manifest was not deleted: %s", log_line(error))
