"""Many jobs on one machine: the next one's audio is decoded while this one is computed."""

import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from . import transfer
from .contract import Address, JobRequest, Manifest
from .errors import JobFailedError, places_of
from .job import Outcome
from .models import Models, load_models
from .notices import watched
from .packing import unpacked
from .prepare import prepare_ahead
from .settings import WorkerSettings
from .signals import stopped_by_signals
from .stop import Stop
from .voice import Say, voice
from .worker import NO_MODELS_EXIT, one

SOME_FAILED_EXIT = 1
SOME_FAILED = "--some-failed"  # said by a process to the one that takes its place
NO_JOBS_EXIT = 2
STOPPED_EXIT = 4  # a notice or a signal: what is left over wants another machine


class ManifestError(Exception):
    """The jobs cannot be read: what was tried, never with an address inside."""


def requests_at(address: str) -> tuple[JobRequest, ...]:
    """The jobs of a manifest: a presigned URL, file://, or a path.

    Raises:
        ManifestError: it is not there, has expired, or is none.
    """
    is_url = urlsplit(address).scheme in {"http", "https", "file"}
    url = address if is_url else Path(address).absolute().as_uri()
    name = "the manifest" if is_url else str(address)
    try:
        body = transfer.read(Address(method="GET", url=url))
    except (transfer.TransferError, OSError) as error:
        raise ManifestError(f"{name} could not be read: {type(error).__name__}") from None
    if body is None:
        raise ManifestError(f"{name} is not there")
    try:
        return Manifest.model_validate_json(unpacked(body)).requests
    except ValueError as error:
        raise ManifestError(
            f"{name} is not one of this worker's version: {_places(error)}"
        ) from None


def requests_in(paths: Sequence[Path]) -> tuple[JobRequest, ...]:
    """The jobs of request files, one in each.

    Raises:
        ManifestError: names the file.
    """
    requests = []
    for path in paths:
        try:
            requests.append(JobRequest.model_validate_json(unpacked(path.read_bytes())))
        except (OSError, ValueError) as error:
            raise ManifestError(f"{path} is no job request: {_places(error)}") from None
    return tuple(requests)


def work_through(
    requests: Sequence[JobRequest], settings: WorkerSettings, *, some_failed: bool = False
) -> int:
    """All jobs, in their order; a process that must not go on begins anew with what is left.

    `some_failed`: in the process before this one.
    Exit status: 0 when all are done, 1 when some failed, 2 without models, 4 when it was stopped.
    """
    if not requests:
        return 0  # no model is loaded for nothing
    stop = Stop()
    with voice() as say, stopped_by_signals(stop), watched(settings.spot_notices, stop):
        try:
            models = load_models(settings)
        except JobFailedError as error:
            say(event="fatal", code=error.error.code, message=str(error))
            return NO_MODELS_EXIT
        say(event="ready", load_seconds=round(models.load_seconds, 3), jobs=len(requests))
        outcomes = work(requests, models, say, stop)
        goes_on = stop.reason is None and len(outcomes) < len(requests)
        if goes_on:
            say(event="retired", reason=outcomes[-1].retire)
    if stop.reason is not None:
        return STOPPED_EXIT
    done = not some_failed and all(each.state in {"done", "duplicate"} for each in outcomes)
    if goes_on:
        begin_anew(some_failed=not done)
    return 0 if done else SOME_FAILED_EXIT


def work(requests: Sequence[JobRequest], models: Models, say: Say, stop: Stop) -> list[Outcome]:
    """How each ended, up to the last, or to where this process had to stop."""
    outcomes: list[Outcome] = []
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
            outcomes.append(one(request, models, say, stop, preparing))
            if outcomes[-1].retire:
                break
        over.set()
    return outcomes


def begin_anew(*, some_failed: bool) -> None:
    """The same command in the same process, with nothing of the old one's memory.

    Jobs that have their result are left at once, so that the manifest goes on where it was; those
    that failed have their claim, and are left too: that they failed must be handed on.
    """
    told = [SOME_FAILED] if some_failed and SOME_FAILED not in sys.argv else []
    os.execv(sys.executable, [sys.executable, "-m", "gpu_job", *told, *sys.argv[1:]])  # noqa: S606


def _places(error: Exception) -> str:
    """Where a document is wrong, without what it says."""
    if isinstance(error, ValidationError):
        return places_of(error)
    return type(error).__name__
