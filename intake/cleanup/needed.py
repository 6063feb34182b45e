"""What open jobs, waiting requests and runs in progress need: nothing of it is deleted."""

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from escriba.recordings import Recording
from intake.work_requests import UnreadRequest, WorkRequest, look_at_requests
from resources.gpu.job_folder import JobFolder
from resources.spending.reservations import Reservation, Spending
from resources.storage.base import Storage, StorageError

FRESH_SECONDS: Final = 30.0  # a cleanup may take hours, while people order work
Running = Callable[[], AbstractSet[str] | None]  # partitions of runs; None: nobody knows them


@dataclass(frozen=True)
class Needed:
    """jobs: (tenant, job) with an open attempt. names: recordings; keys: their partitions.

    has_unknown: a run may need any recording.
    """

    jobs: frozenset[tuple[str, str]]
    names: frozenset[str]
    keys: frozenset[str]
    has_unknown: bool = False

    def has(self, recording: Recording) -> bool:
        """Whether something still needs the files of this recording."""
        known = recording.name in self.names or recording.partition_key in self.keys
        return self.has_unknown or known


class NeededNow:
    """What is needed at the time of the question; what is known is up to 30 seconds old."""

    def __init__(
        self, storage: Storage, running: Running, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._storage, self._running, self._clock = storage, running, clock
        self._known, self._at = find_needed(storage, running), clock()

    def now(self) -> Needed:
        """What is needed now.

        Raises:
            StorageError: something open cannot be read.
        """
        if self._clock() - self._at > FRESH_SECONDS:
            self._known, self._at = find_needed(self._storage, self._running), self._clock()
        return self._known


def find_needed(storage: Storage, running: Running) -> Needed:
    """Read the open attempts, the waiting requests, and the runs of Dagster in progress.

    Raises:
        StorageError: one of them cannot be read, so that nobody knows what it needs.
    """
    running_keys = running()
    open_now = [one for one, _ in Spending(storage).open()]
    names = frozenset(name for one in open_now for name in _recordings_of(storage, one))
    keys = {*(running_keys or ())}
    for seen in look_at_requests(storage):
        if isinstance(seen, UnreadRequest):
            raise StorageError(seen.reason)
        if isinstance(seen, WorkRequest):
            keys.update(seen.keys)
    jobs = frozenset((one.tenant, one.job) for one in open_now)
    return Needed(jobs, names, frozenset(keys), has_unknown=running_keys is None)


def _recordings_of(storage: Storage, reservation: Reservation) -> set[str]:
    """The recording that began the job, and the one of this attempt: twins share a job."""
    folder = JobFolder(storage, reservation.tenant, reservation.job)
    found = (folder.find_request(), folder.attempt(reservation.attempt))
    return {one.recording for one in found if one is not None}
