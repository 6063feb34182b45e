"""Which files of which delivery were taken, by bill: a small record beside the ledger."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from pipelines.billing.deliveries import Delivery
from resources.storage.base import Storage

TAKEN = "ledger/bills/"
_KEPT = 50  # deliveries of one bill: a month is delivered three times a day by AWS


def read_taken(storage: Storage, backend: str, bill: str) -> tuple[Delivery, ...]:
    """The deliveries of a bill, the one that counts at the end; none where none is known."""
    data = storage.read(_key(backend, bill))
    if data is None:
        return ()
    found = json.loads(data)["deliveries"]
    return tuple(Delivery(one["files"], frozenset(one.get("again", ()))) for one in found)


def note_taken(  # noqa: PLR0913  # a record, named field by field
    storage: Storage,
    backend: str,
    bill: str,
    *,
    before: tuple[Delivery, ...],
    files: Mapping[str, str],
    now: datetime,
    is_new: bool,
) -> None:
    """Write down what an import took. is_new: another delivery than the one that stood."""
    if is_new or not before:
        deliveries = [*before, Delivery(dict(files))]
    else:
        last = before[-1]
        again = last.again | (last.files.keys() & files.keys())
        deliveries = [*before[:-1], Delivery({**last.files, **files}, again)]
    told = {
        "bill": bill,
        "backend": backend,
        "taken_at": now.isoformat(),
        "deliveries": [
            {"files": dict(one.files), "again": sorted(one.again)} for one in deliveries[-_KEPT:]
        ],
    }
    storage.write(_key(backend, bill), json.dumps(told, indent=1).encode())


def _key(backend: str, bill: str) -> str:
    return f"{TAKEN}{backend}/{hashlib.sha256(bill.encode()).hexdigest()[:32]}.json"
