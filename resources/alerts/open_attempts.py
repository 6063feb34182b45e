"""The attempts that are open now: which wait for a worker, and which one works on."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from resources.spending.reservations import Reservation, Spending
from resources.storage.base import Storage

_READERS: Final = 16


@dataclass(frozen=True, slots=True)
class OpenAttempts:
    """waiting_since: when the oldest that waits was submitted."""

    waiting: int = 0
    active: int = 0
    waiting_since: datetime | None = None


def open_attempts(storage: Storage) -> OpenAttempts:
    """Those of all processes: one small request for each, 16 at a time.

    Raises:
        StorageError: the bucket cannot be read.
    """
    found = list(Spending(storage).open())
    with ThreadPoolExecutor(_READERS) as pool:
        claimed = list(pool.map(lambda one: _is_claimed(storage, one[0]), found))
    waits = [kept.modified for (_, kept), works in zip(found, claimed, strict=True) if not works]
    return OpenAttempts(len(waits), sum(claimed), min(waits, default=None))


def _is_claimed(storage: Storage, one: Reservation) -> bool:
    key = f"work/{one.tenant}/jobs/{one.job}/claim-{one.attempt}.json"
    return storage.head(key) is not None
