"""Which originals may go: past their age, transcribed in this very version, needed by nobody."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import TypeVar

from escriba.recordings import INBOX, Recording
from escriba.retention import Ages
from intake.inbox import judge_name, last_done
from intake.quarantine import read_refusal, refusal_key
from resources.storage.base import Storage, StorageError, StoredObject

from .freed import Broom, is_unchanged
from .needed import NeededNow

_AT_ONCE = 256  # held in memory, of any number
_READERS = 16
Item = TypeVar("Item")


def delete_originals(
    storage: Storage, broom: Broom, ages: Ages, needed: NeededNow, now: datetime
) -> None:
    """Delete the files in inbox/ that may go."""
    for batch in in_batches(_old(storage, ages, now)):
        with ThreadPoolExecutor(_READERS) as pool:
            states = pool.map(lambda one: _state(storage, one[0], one[1], ages, now), batch)
            for (recording, found), may_go in zip(batch, states, strict=True):
                if isinstance(may_go, StorageError):
                    broom.trouble(str(may_go))
                elif not may_go or needed.now().has(recording):
                    broom.kept += 1
                else:
                    broom.delete("originals", found)


def in_batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in lists of at most 256."""
    rest = iter(items)
    while batch := list(islice(rest, _AT_ONCE)):
        yield batch


def _old(storage: Storage, ages: Ages, now: datetime) -> Iterator[tuple[Recording, StoredObject]]:
    for found in storage.list(INBOX):
        recording, what = judge_name(found)
        if recording is None or not isinstance(what, StoredObject):
            continue
        if ages.is_past("originals", recording.tenant, what.modified, now):
            yield recording, what


def _state(
    storage: Storage, recording: Recording, found: StoredObject, ages: Ages, now: datetime
) -> bool | StorageError:
    """Whether it may go; a record that cannot be read keeps its original, and hides no other."""
    try:
        return _may_go(storage, recording, found, ages, now)
    except StorageError as error:
        return error


def _may_go(
    storage: Storage, recording: Recording, found: StoredObject, ages: Ages, now: datetime
) -> bool:
    """Whether the transcript of this version stands, and is itself older than the age.

    The file is asked for again: somebody may have replaced it since it was listed. A file that was
    copied with its old time is kept for the whole age after its transcript. One that shall be
    transcribed again, and failed or waits for the budget, is kept until that has ended.
    """
    last, current = last_done(storage, recording), storage.head(found.key)
    if last is None or current is None or current.etag != last.etag:
        return False
    refusal = read_refusal(storage, refusal_key(recording.inbox_key, recording.tenant))
    is_waiting = refusal is not None and refusal.etag == current.etag and not refusal.permanent
    return (
        not is_waiting
        and is_unchanged(current, found)
        and ages.is_past("originals", recording.tenant, last.at, now)
    )
