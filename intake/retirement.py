"""When a recording's work is finished, and which finished ones still belong in Dagster.

A recording retires from Dagster some time after its work is done. Its transcripts, records and
rows of the ledger stay; it comes back by `escriba retry`, `escriba run NAME` or a new upload.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from escriba.recordings import NameRefusedError, Recording, from_partition_key
from resources.storage.base import Storage

from .inbox import Survey, last_done
from .quarantine import read_refusal, refusal_key

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_READERS: Final = 32
_READ_AT_ONCE: Final = 1_000


def finished_at(storage: Storage, partition_key: str) -> datetime | None:
    """When the work on the file that is in the inbox now was done or given up.

    None: there is work to do, or the partition is no recording. A file that is gone counts as
    the one that was processed, or given up: nothing can be done without it.
    """
    try:
        recording = from_partition_key(partition_key)
    except NameRefusedError:
        return None
    file = storage.head(recording.inbox_key)
    refusal = read_refusal(storage, refusal_key(recording.inbox_key, recording.tenant))
    if refusal is not None and (file is None or file.etag == refusal.etag):
        return refusal.at if refusal.permanent or file is None else None
    last = last_done(storage, recording)
    if file is None and last is None:
        return _LONG_AGO
    return last.at if last is not None and (file is None or file.etag == last.etag) else None


def finished_times(
    storage: Storage, partition_keys: Iterable[str]
) -> Iterator[tuple[str, datetime | None]]:
    """Each key with the time of `finished_at`, in their order; reads three objects for each."""
    keys = iter(partition_keys)
    with ThreadPoolExecutor(_READERS) as pool:
        while chunk := list(islice(keys, _READ_AT_ONCE)):
            times = pool.map(lambda key: finished_at(storage, key), chunk)
            yield from zip(chunk, times, strict=True)


def unreported(
    inbox: Survey, reported: Container[str], now: datetime, partitions_days: int
) -> Sequence[Recording]:
    """Done recordings that Dagster should know of and does not.

    One that was done longer ago than PARTITIONS_DAYS would retire at once: it stays retired.
    """
    oldest = now - timedelta(days=partitions_days)
    return sorted(
        recording
        for recording, at in inbox.done_at.items()
        if at > oldest and recording.partition_key not in reported
    )
