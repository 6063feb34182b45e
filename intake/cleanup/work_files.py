"""Which files in work/ may go: decoded audio, logs, and what finished jobs leave behind.

Requests, attempts and results of jobs stay: they prove what was paid, and the ledger can be made
again from them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import groupby

from escriba.recordings import WORK, Recording, from_work_key
from escriba.retention import Ages, Kind
from intake.inbox import last_done
from resources.gpu.job_folder import JobFolder
from resources.storage.base import Storage, StorageError, StoredObject

from .freed import Broom
from .needed import NeededNow

_JOB = re.compile(rf"({WORK}([^/]+)/jobs/([0-9a-f]{{64}})/)(.+)")
_LEFTOVER = re.compile(r"(submitted|claim|partial)-\d+\.json")
_AUDIO = ("audio.flac", "audio.opus")
_LOG = "log.jsonl"
_REMEMBER_EVERY = 10_000  # objects; a kill costs at most this much looking


def delete_work_files(  # noqa: PLR0913  # what decides, by name
    storage: Storage,
    broom: Broom,
    ages: Ages,
    needed: NeededNow,
    now: datetime,
    *,
    after: str = "",
    at_most: int | None = None,
    remember: Callable[[str], None] = lambda _key: None,
) -> str:
    """Look at work/ behind `after`, at most at so many objects; returns where to go on, or "".

    remember: gets a key now and then; after a kill, the next call may start behind it.
    """
    sweep = _Sweep(storage, broom, ages, needed, now)
    looked = 0
    for group in _groups(_objects(storage, after)):
        if _folder(group[0].key):
            sweep.job(group)
        else:
            sweep.file(group[0])
        before, looked, last = looked, looked + len(group), group[-1].key
        if before // _REMEMBER_EVERY != looked // _REMEMBER_EVERY:
            remember(last)
        if at_most is not None and looked >= at_most:
            return last
    return ""


def _groups(objects: Iterable[StoredObject]) -> Iterator[list[StoredObject]]:
    """The few objects of each job together, and each file of a recording alone."""
    for folder, members in groupby(objects, lambda one: _folder(one.key)):
        if folder:
            yield list(members)
        else:
            yield from ([one] for one in members)


def _objects(storage: Storage, after: str) -> Iterator[StoredObject]:
    return (one for one in storage.list(WORK, after) if isinstance(one, StoredObject))


def _folder(key: str) -> str:
    """The folder of a job; empty for a file of a recording."""
    match = _JOB.fullmatch(key)
    return match[1] if match else ""


class _Sweep:
    """Decides on one object or job at a time."""

    def __init__(
        self, storage: Storage, broom: Broom, ages: Ages, needed: NeededNow, now: datetime
    ) -> None:
        self._storage, self._broom, self._ages = storage, broom, ages
        self._needed, self._now = needed, now

    def file(self, found: StoredObject) -> None:
        """Delete an old audio or log of a recording that is done."""
        recording, kind = self._recording(found.key)
        if recording is None or not self._ages.is_past(
            kind, recording.tenant, found.modified, self._now
        ):
            return
        needed = self._needed.now()
        try:
            may_go = not needed.has(recording) and self._is_done(recording, found)
        except StorageError as error:
            self._broom.trouble(str(error))
            return
        if not may_go:
            self._broom.kept += 1
        else:
            self._broom.delete(kind, found)

    def job(self, group: list[StoredObject]) -> None:
        """Delete what a finished job left behind; it is finished if it has a result."""
        match = _JOB.fullmatch(group[0].key)
        if match is None:
            return
        folder, tenant, job = match[1], match[2], match[3]
        names = {one.key.removeprefix(folder): one for one in group}
        leftovers = [one for name, one in names.items() if _LEFTOVER.fullmatch(name)]
        result = names.get("result.json")
        if not leftovers or result is None:
            return
        if not self._ages.is_past("job_records", tenant, result.modified, self._now):
            return
        if (tenant, job) in self._needed.now().jobs or not self._has_ended(tenant, job):
            self._broom.kept += len(leftovers)
            return
        for one in leftovers:
            self._broom.delete("job_records", one)

    def _has_ended(self, tenant: str, job: str) -> bool:
        """Whether every attempt has its end, which is written after its row in the ledger."""
        try:
            attempts = JobFolder(self._storage, tenant, job).attempts()
        except StorageError as error:
            self._broom.trouble(str(error))
            return False
        return bool(attempts) and all(one.end is not None for one in attempts)

    def _recording(self, key: str) -> tuple[Recording | None, Kind]:
        if key.endswith(f"/{_LOG}"):
            return from_work_key(key, _LOG), "metrics"
        for name in _AUDIO:
            if key.endswith(f"/{name}"):
                return from_work_key(key, name), "working_audio"
        return None, "working_audio"

    def _is_done(self, recording: Recording, found: StoredObject) -> bool:
        """Whether it has a transcript of the file that is in the inbox, or of the last one."""
        last = last_done(self._storage, recording)
        if last is None:
            return False
        original = self._storage.head(recording.inbox_key)
        is_current = original is None or original.etag == last.etag
        kind = self._recording(found.key)[1]
        return is_current and self._ages.is_past(kind, recording.tenant, last.at, self._now)
