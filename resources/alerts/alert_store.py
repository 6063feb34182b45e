"""`alerts/` of the bucket: the state of alerts, and notices that other processes leave there."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from escriba.alerts.episodes import Notice
from escriba.alerts.outgoing import AlertState
from gpu_job.contract.documents import MEDIUM
from resources.storage.base import Storage, StoredObject
from resources.storage.read_documents import read_or_remake

ALERTS: Final = "alerts/"
STATE: Final = f"{ALERTS}state.json"
_OUTBOX: Final = f"{ALERTS}outbox/"


def read_state(storage: Storage) -> AlertState:
    """The state; empty at the beginning, or where it is damaged, which the log says."""
    return read_or_remake(storage, STATE, AlertState, MEDIUM) or AlertState()


def write_state(storage: Storage, state: AlertState) -> None:
    """Replace the state."""
    storage.write(STATE, state.model_dump_json().encode())


def leave_notice(storage: Storage, notice: Notice) -> None:
    """Leave a notice for the sensor to send: costs one small object, and waits for nobody."""
    storage.create(f"{_OUTBOX}{quote(notice.id, safe='')}.json", notice.model_dump_json().encode())


def left_notices(storage: Storage) -> Iterator[tuple[str, Notice | None]]:
    """The key of each object of the outbox and its notice; None: it is damaged."""
    for found in storage.list(_OUTBOX):
        if isinstance(found, StoredObject):
            yield found.key, read_or_remake(storage, found.key, Notice)
