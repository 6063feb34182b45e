"""Recovers attempts that a crashed run left open, and requests their recordings again."""

from escriba.recordings import INBOX
from escriba.settings import Settings
from resources.gpu.open_engine import open_reconciler
from resources.gpu.reconcile import Reconciled
from resources.storage.base import Storage

from .inbox import existing_recording
from .work_requests import new_request, submit_request


async def reconcile(settings: Settings, storage: Storage) -> Reconciled:
    """Reconcile every open attempt, then request the recordings that need another run."""
    reconciler = open_reconciler(settings, storage)
    try:
        reconciled = await reconciler.reconcile()
    finally:
        await reconciler.fleet.close()
    keys = (f"{INBOX}{name}" for name in reconciled.recordings)
    recordings = [recording for key in keys if (recording := existing_recording(storage, key))]
    if recordings:
        submit_request(storage, new_request("reconciled", recordings))
    return reconciled
