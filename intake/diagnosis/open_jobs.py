"""Findings about what is under way: jobs that are stuck, and a queue that has too few workers."""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from escriba.recordings import NameRefusedError, from_partition_key
from intake.inbox import is_settled
from intake.work_requests import WorkRequest, look_at_requests
from resources.gpu.idempotency import SILENT_SECONDS
from resources.gpu.job_folder import JobFolder
from resources.spending.reservations import Spending
from resources.storage.base import Storage

from .findings import FEW_WORKERS, LONG_QUEUE, MOST_NAMED, STUCK_SECONDS, DeepFinding

_READERS = 32
_MOST_LOOKED_AT = 5_000  # waiting recordings; a queue longer than that is long enough


@dataclass(frozen=True)
class _Open:
    """An open attempt. silent_seconds: since its last heartbeat; None: no worker has it."""

    recording: str
    backend: str
    age_seconds: float
    silent_seconds: float | None

    @property
    def has_worker(self) -> bool:
        return self.silent_seconds is not None and self.silent_seconds <= SILENT_SECONDS


def open_findings(
    storage: Storage, running_keys: Collection[str], now: datetime
) -> Iterator[DeepFinding]:
    """What open attempts, waiting requests and runs tell.

    running_keys: partitions of the runs that are in progress or queued.

    Raises:
        StorageError: the store does not answer.
    """
    under_way = list(_open_attempts(storage, now))
    yield from _stuck(under_way)
    waiting = _waiting(storage, running_keys)
    workers = sum(one.has_worker for one in under_way)
    if len(waiting) - workers > LONG_QUEUE and workers < FEW_WORKERS:
        yield _long_queue(waiting, workers)


def _open_attempts(storage: Storage, now: datetime) -> Iterator[_Open]:
    """Every attempt with a reservation and no end, with the age of its last heartbeat."""
    for reservation, stored in Spending(storage).open():
        folder = JobFolder(storage, reservation.tenant, reservation.job)
        attempt = folder.attempt(reservation.attempt)
        if attempt is None or attempt.end is not None:
            continue
        lease = storage.head(folder.key(f"claim-{reservation.attempt}.json"))
        yield _Open(
            attempt.recording,
            attempt.backend,
            (now - stored.modified).total_seconds(),
            None if lease is None else (now - lease.modified).total_seconds(),
        )


def _stuck(under_way: list[_Open]) -> Iterator[DeepFinding]:
    old = [one for one in under_way if one.age_seconds > STUCK_SECONDS]
    groups = {
        "silent": [one for one in old if one.silent_seconds is not None and not one.has_worker],
        "queued": [one for one in old if one.silent_seconds is None],
        "working": [one for one in old if one.has_worker],
    }
    for state, members in groups.items():
        if members:
            yield _stuck_finding(state, sorted(members, key=lambda one: -one.age_seconds))


def _stuck_finding(state: str, members: list[_Open]) -> DeepFinding:
    cause, command = {
        "silent": (
            "Their workers send no heartbeat: they died, and no run watches the attempts.",
            "escriba reconcile",
        ),
        "queued": (
            "No worker has taken them: the backend has no free one.",
            "escriba doctor (stock of GPUs, largest number of workers)",
        ),
        "working": (
            "Their workers send heartbeats: the recordings are long, or the backend is slow.",
            "escriba doctor --deep (slow jobs); nothing to do if they are long",
        ),
    }[state]
    backends = ", ".join(sorted({one.backend for one in members}))
    hours = members[0].age_seconds / 3600
    return DeepFinding(
        code="stuck_jobs",
        found=f"{len(members):,} jobs on {backends} are open for over an hour (oldest {hours:.1f} "
        f"h; {state})",
        count=len(members),
        recordings=tuple(one.recording for one in members[:MOST_NAMED]),
        cause=cause,
        command=command,
    )


def _waiting(storage: Storage, running_keys: Collection[str]) -> list[str]:
    """Names of requested or running recordings without a transcript of their current file."""
    keys = {*running_keys}
    for seen in look_at_requests(storage):
        if isinstance(seen, WorkRequest):
            keys.update(seen.keys)
    with ThreadPoolExecutor(_READERS) as pool:
        names = pool.map(lambda key: _name_if_waiting(storage, key), islice(keys, _MOST_LOOKED_AT))
        return sorted(name for name in names if name)


def _name_if_waiting(storage: Storage, key: str) -> str:
    try:
        recording = from_partition_key(key)
    except NameRefusedError:
        return ""
    found = storage.head(recording.inbox_key)
    waits = found is not None and not is_settled(storage, recording, found.etag)
    return recording.name if waits else ""


def _long_queue(waiting: list[str], workers: int) -> DeepFinding:
    return DeepFinding(
        code="queue_without_workers",
        found=f"{len(waiting):,} recordings wait, and {workers} workers are at work",
        count=len(waiting),
        recordings=tuple(waiting[:MOST_NAMED]),
        cause="The backend allows few workers, has no capacity, or a budget limit holds jobs back.",
        command="RUNPOD_WORKERS_MAX (or MACHINES_AT_ONCE, LOCAL_WORKERS) in .env; escriba status "
        "shows what a limit holds back",
    )
