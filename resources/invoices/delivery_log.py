"""The imported files of each delivery, by bill: a small record beside the ledger."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from escriba.billing.bill_deliveries import BillDelivery
from resources.storage.base import Storage

TAKEN = "ledger/bills/"
_KEPT = 50  # deliveries of one bill: a month is delivered three times a day by AWS


def read_deliveries(storage: Storage, backend: str, bill: str) -> tuple[BillDelivery, ...]:
    """The deliveries of a bill, the current one last; empty if none is known."""
    data = storage.read(_key(backend, bill))
    if data is None:
        return ()
    found = json.loads(data)["deliveries"]
    return tuple(
        BillDelivery(one["files"], frozenset(one.get("again", ())), frozenset(one.get("later", ())))
        for one in found
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
