"""Tags of single recordings, in the bucket's ledger: the newest row of each counts."""

from collections.abc import Iterable
from datetime import datetime

from escriba.billing.cost_tags import TagRow, Tags
from escriba.recordings import Recording
from resources.storage.base import Storage

from .writer import write_rows


def tag_recordings(
    storage: Storage, recordings: Iterable[Recording], tags: Tags, now: datetime
) -> int:
    """Assign recordings to a cost center and project; returns their number.

    Empty tags fall back to the rules of the tenant and the path. Tags do not change results, so
    nothing is recomputed; earlier costs of the recordings move with them.
    """
    rows = [TagRow(one.name, one.tenant, tags.cost_center, tags.project, now) for one in recordings]
    if rows:
        write_rows(storage, rows)
    return len(rows)
