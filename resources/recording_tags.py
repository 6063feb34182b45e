"""Tags of single recordings, in the bucket's ledger: the last word on each holds."""

from collections.abc import Iterable
from datetime import datetime

from pipelines.billing.tags import TagRow, Tags
from pipelines.recordings import Recording

from .ledger_writer import write_rows
from .storage.base import Storage


def tag_recordings(
    storage: Storage, recordings: Iterable[Recording], tags: Tags, now: datetime
) -> int:
    """Say whose money these recordings are; how many there are.

    What `tags` leaves out is what the tenant and the path say. Tags are of no result: nothing is
    done again because of them, and money that was spent before moves with them.
    """
    rows = [TagRow(one.name, one.tenant, tags.cost_center, tags.project, now) for one in recordings]
    if rows:
        write_rows(storage, rows)
    return len(rows)
