"""The imported files of each delivery, by bill: a small record beside the ledger."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel

from escriba.billing.bill_deliveries import BillDelivery
from gpu_job.contract.documents import MEDIUM
from resources.storage.base import Storage
from resources.storage.read_documents import read_stored

TAKEN = "ledger/bills/"
_KEPT = 50  # deliveries of one bill: a month is delivered three times a day by AWS


class _Delivery(BaseModel):
    """The files of one delivery, by name to their digest."""

    files: dict[str, str]
    again: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()


class _Deliveries(BaseModel):
    """The record of a bill."""

    deliveries: tuple[_Delivery, ...]


def read_deliveries(storage: Storage, backend: str, bill: str) -> tuple[BillDelivery, ...]:
    """The deliveries of a bill, the current one last; empty if none is known."""
    found = read_stored(storage, _key(backend, bill), _Deliveries, MEDIUM)
    return tuple(
        BillDelivery(one.files, one.again, one.later) for one in (found.deliveries if found else ())
    )


def record_delivery(  # noqa: PLR0913  # a record, named field by field
    storage: Storage,
    backend: str,
    bill: str,
    *,
    before: tuple[BillDelivery, ...],
    files: Mapping[str, str],
    now: datetime,
    is_new: bool,
) -> None:
    """Record the files of an import. is_new: another delivery than the current one."""
    if is_new or not before:
        deliveries = [*before, BillDelivery(dict(files))]
    else:
        last = before[-1]
        again = last.again | (last.files.keys() & files.keys())
        later = last.later | (files.keys() - last.files.keys())
        deliveries = [*before[:-1], BillDelivery({**last.files, **files}, again, later)]
    record = {
        "bill": bill,
        "backend": backend,
        "taken_at": now.isoformat(),
        "deliveries": [
            {"files": dict(one.files), "again": sorted(one.again), "later": sorted(one.later)}
            for one in deliveries[-_KEPT:]
        ],
    }
    storage.write(_key(backend, bill), json.dumps(record, indent=1).encode())


def _key(backend: str, bill: str) -> str:
    return f"{TAKEN}{backend}/{hashlib.sha256(bill.encode()).hexdigest()[:32]}.json"
