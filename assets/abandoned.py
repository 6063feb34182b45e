"""Attempts whose run died, and what becomes of their recordings."""

from pipelines.recordings import INBOX
from pipelines.settings import Settings
from resources.gpu.opening import open_reconciler
from resources.gpu.reconcile import Reconciled
from resources.storage.base import Storage

from .inbox import standing
from .requests import ask, new_request


async def reconcile(settings: Settings, storage: Storage) -> Reconciled:
    """Decide on everything that is open, and ask for the recordings that a run takes further."""
    reconciler = open_reconciler(settings, storage)
    try:
        found = await reconciler.reconcile()
    finally:
        await reconciler.fleet.close()
    recordings = [one for name in found.recordings if (one := standing(storage, f"{INBOX}{name}"))]
    if recordings:
        ask(storage, new_request("reconciled", recordings))
    return found
