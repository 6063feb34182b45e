"""Buckets whose ledger is made up: their mark, which whoever reads them shows."""

import json
from datetime import datetime

from pipelines.billing.simulation.names import MARK

from .storage.base import Storage

NOTICE = "Synthetic figures of `escriba demo --costs`: nothing of this was spent."


def mark_synthetic(storage: Storage, seed: int, now: datetime) -> None:
    """Before the first row is written."""
    what = {"made_by": "escriba demo --costs", "seed": seed, "made_at": now.isoformat()}
    storage.write(MARK, json.dumps(what).encode())


def is_synthetic(storage: Storage) -> bool:
    """Whether it is such a bucket."""
    return storage.head(MARK) is not None
