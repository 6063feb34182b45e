"""Many jobs on one machine: the next job's audio is decoded while the current job runs."""

import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from . import transfer
from .audio_download import prepare_ahead
from .common.errors import JobFailedError
from .common.settings import WorkerSettings
from .contract import Address, JobRequest, Manifest
from .contract.documents import LARGE, MANIFESTS, DamagedDocumentError, read_document
from .event_stream import Emit, event_stream
from .job import AttemptOutcome
from .models import Models, load_models
from .signals import stopped_by_signals
from .spot_interruptions import source_of, watched
from .stop_request import Stop
from .worker import NO_MODELS_EXIT, run_reported

SOME_FAILED_EXIT = 1
SOME_FAILED = "--some-failed"  # passed by a process to its replacement
NO_JOBS_EXIT = 2
STOPPED_EXIT = 4  # a notice or a signal: the remaining jobs need another machine


class ManifestError(Exception):
    """The jobs cannot be read; the message never contains an address."""


def requests_at(address: str) -> tuple[JobRequest, ...]:
    """The jobs of a manifest: a presigned URL, file://, or a path.

    Raises:
        ManifestError: the manifest is missing, its address expired, or it is invalid.
    """
    is_url = urlsplit(address).scheme in {"http", "https", "file"}
    url = address if is_url else Path(address).absolute().as_uri()
    name = "the manifest" if is_url else str(address)
    try:
        body = transfer.read(Address(method="GET", url=url))
    except (transfer.TransferError, OSError) as error:
        raise ManifestError(f"{name} could not be read: {type(error).__name__}") from None
    if body is None:
        raise ManifestError(f"{name} does not exist")
    try:
        return read_document(body, Manifest, MANIFESTS).requests
    except ValueError as error:
        raise ManifestError(
            f"{name} is not a manifest of this worker's version: {_places(error)}"
        ) from None


def requests_in(paths: Sequence[Path]) -> tuple[JobRequest, ...]:
    """The jobs of request files, run_reported per file.

    Raises:
        ManifestError: a file is invalid; the message names it.
    """
    requests = []
    for path in paths:
        try:
            requests.append(read_document(path.read_bytes(), JobRequest, LARGE))
        except (OSError, ValueError) as error:
            raise ManifestError(f"{path} is not a job request: {_places(error)}") from None
    return tuple(requests)


def process_all(
    requests: Sequence[JobRequest], settings: WorkerSettings, *, some_failed: bool = False
) -> int:
    """Run all jobs in order; a process that must not continue restarts with the remaining ones.

    `some_failed`: in an earlier process of this manifest.
    Exit status: 0 all are done, 1 some failed, 2 the models do not load, 4 stopped.
    """
    if not requests:
        return 0  # without loading models
    stop = Stop()
    source = source_of(settings.spot_notices, settings.spot_metadata_url)
    with event_stream() as emit, stopped_by_signals(stop), watched(source, stop):
        try:
            models = load_models(settings)
        except JobFailedError as error:
            emit(event="fatal", code=error.error.code, message=str(error))
            return NO_MODELS_EXIT
        emit(event="ready", load_seconds=round(models.load_seconds, 3), jobs=len(requests))
        outcomes = run_all(requests, models, emit, stop)
        continues = stop.reason is None and len(outcomes) < len(requests)
        if continues:
            emit(event="retired", reason=outcomes[-1].retire)
    if stop.reason is not None:
        return STOPPED_EXIT
    done = not some_failed and all(each.state in {"done", "duplicate"} for each in outcomes)
    if continues:
        restart_process(some_failed=not done)
    return 0 if done else SOME_FAILED_EXIT


def run_all(
    requests: Sequence[JobRequest], models: Models, emit: Emit, stop: Stop
) -> list[AttemptOutcome]:
    """The outcome of each job, up to the last one or to where this process had to stop."""
    outcomes: list[AttemptOutcome] = []
    over = threading.Event()

    def wanted() -> None:
        stop.check()
        if over.is_set():
            raise CancelledError

    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        ahead = [thread.submit(prepare_ahead, each, wanted) for each in requests[:1]]
        for i, request in enumerate(requests):
            if stop.reason is not None:
                break
            preparing = ahead.pop()
            following = requests[i + 1 : i + 2]
            ahead = [thread.submit(prepare_ahead, each, wanted) for each in following]
            outcomes.append(run_reported(request, models, emit, stop, preparing))
            if outcomes[-1].retire:
                break
        over.set()
    return outcomes


def restart_process(*, some_failed: bool) -> None:
    """Replace this process by the same command, with fresh memory.

    Jobs with a result are skipped, so the manifest resumes where it was. Failed jobs have a lease
    and are skipped too, so `some_failed` carries their failure over.
    """
    carried = [SOME_FAILED] if some_failed and SOME_FAILED not in sys.argv else []
    os.execv(sys.executable, [sys.executable, "-m", "gpu_job", *carried, *sys.argv[1:]])  # noqa: S606


def _places(error: Exception) -> str:
    """What is wrong with a document, without its values."""
    if isinstance(error, DamagedDocumentError):
        return f"it {error}"
    return type(error).__name__
