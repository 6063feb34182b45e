"""Which small records may go: of refused files that are gone, digests, reports, leftovers."""

import re
from collections.abc import Iterator
from datetime import datetime

from escriba.retention import Ages
from intake.night import DIGESTS
from intake.quarantine import PREFIX, read_refusal
from intake.refused_requests import REFUSED
from resources.gpu.batch_machines.manifests import FOLDER as MANIFESTS
from resources.storage.base import Storage, StoredObject

from .freed import Broom

_HOUSE = ""  # things of no tenant have the ages of the settings
# a report is named by its day; monthly statements and sheets are bookkeeping and stay
_DAILY_REPORT = re.compile(r"reports/\d{4}-\d\d-\d\d\.(html|png)")
_REPORTS = "reports/"


def delete_records(storage: Storage, broom: Broom, ages: Ages, now: datetime) -> None:
    """Delete the records that may go."""
    _refusals(storage, broom, ages, now)
    for found in _objects(storage, REFUSED):
        if ages.is_past("quarantine", _HOUSE, found.modified, now):
            broom.delete("quarantine", found)
    _digests(storage, broom, ages, now)
    for found in _objects(storage, _REPORTS):
        is_daily = _DAILY_REPORT.fullmatch(found.key) is not None
        if is_daily and ages.is_past("metrics", _HOUSE, found.modified, now):
            broom.delete("metrics", found)
    for found in _objects(storage, MANIFESTS):
        if ages.is_past("temporary", _HOUSE, found.modified, now):
            broom.delete("temporary", found)


def _refusals(storage: Storage, broom: Broom, ages: Ages, now: datetime) -> None:
    """The record of a file that stands unchanged stays: without it, the file would be tried again.

    An unreadable record stays, too: nobody knows what it is about.
    """
    for found in _objects(storage, PREFIX):
        tenant = found.key.removeprefix(PREFIX).partition("/")[0]
        if not ages.is_past("quarantine", tenant, found.modified, now):
            continue
        refusal = read_refusal(storage, found.key)
        if refusal is None:
            continue
        current = storage.head(refusal.inbox_key)
        if current is None or current.etag != refusal.etag:
            broom.delete("quarantine", found)


def _digests(storage: Storage, broom: Broom, ages: Ages, now: datetime) -> None:
    """The newest digest stays: the next one begins where it ended."""
    held: list[StoredObject] = []
    for found in _objects(storage, DIGESTS):
        if held and _night(found) != _night(held[0]):
            for older in held:
                if ages.is_past("metrics", _HOUSE, older.modified, now):
                    broom.delete("metrics", older)
            held = []
        held.append(found)


def _night(found: StoredObject) -> str:
    return found.key.rpartition(".")[0]


def _objects(storage: Storage, prefix: str) -> Iterator[StoredObject]:
    return (one for one in storage.list(prefix) if isinstance(one, StoredObject))
