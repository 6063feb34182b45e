"""The mark of buckets with a synthetic ledger, which every view of their costs shows."""

import json
from datetime import datetime

from resources.storage.base import Storage

MARK = "synthetic.json"  # an object that only buckets with simulated ledgers have
NOTICE = "Synthetic figures of `escriba demo --costs`: none of this money was spent."


def mark_synthetic(storage: Storage, seed: int, now: datetime) -> None:
    """Mark the bucket, before the first row is written."""
    what = {"made_by": "escriba demo --costs", "seed": seed, "made_at": now.isoformat()}
    storage.write(MARK, json.dumps(what).encode())


def is_synthetic(storage: Storage) -> bool:
    """Whether the bucket has a synthetic ledger."""
    return storage.head(MARK) is not None
