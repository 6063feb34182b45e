"""What open jobs, waiting requests and runs in progress need: nothing of it is deleted."""

from collections.abc import Iterable
from dataclasses import dataclass

from escriba.recordings import Recording
from intake.work_requests import UnreadRequest, WorkRequest, look_at_requests
from resources.gpu.job_folder import JobFolder
from resources.spending.reservations import Reservation, Spending
from resources.storage.base import Storage, StorageError


@dataclass(frozen=True)
class Needed:
    """jobs: (tenant, job) with an open attempt. names: recordings; keys: their partitions."""

    jobs: frozenset[tuple[str, str]]
    names: frozenset[str]
    keys: frozenset[str]

    def has(self, recording: Recording) -> bool:
        """Whether something still needs the files of this recording."""
        return recording.name in self.names or recording.partition_key in self.keys


def find_needed(storage: Storage, running_keys: Iterable[str] = ()) -> Needed:
    """Read the open attempts and the waiting requests.

    running_keys: partitions that a run of Dagster is processing or waits to process.

    Raises:
        StorageError: one of them cannot be read, so that nobody knows what it needs.
    """
    open_now = [one for one, _ in Spending(storage).open()]
    names = frozenset(name for one in open_now for name in _recordings_of(storage, one))
    keys = {*running_keys}
    for seen in look_at_requests(storage):
        if isinstance(seen, UnreadRequest):
            raise StorageError(seen.reason)
        if isinstance(seen, WorkRequest):
            keys.update(seen.keys)
    return Needed(frozenset((one.tenant, one.job) for one in open_now), names, frozenset(keys))


def _recordings_of(storage: Storage, reservation: Reservation) -> set[str]:
    """The recording that began the job, and the one of this attempt: twins share a job."""
    folder = JobFolder(storage, reservation.tenant, reservation.job)
    found = (folder.find_request(), folder.attempt(reservation.attempt))
    return {one.recording for one in found if one is not None}
