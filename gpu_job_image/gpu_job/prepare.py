"""A job's audio, fetched and decoded: what a CPU can do while the card computes another job."""

import contextlib
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from . import transfer
from .audio import AudioUnreadableError, Samples, decode, sha256_of
from .contract import ErrorCode, JobRequest
from .errors import JobFailedError
from .transfer import TransferError


@dataclass(frozen=True)
class Prepared:
    """int16 samples (channels, n) at 16 kHz, and the seconds that it took to have them."""

    samples: Samples
    download_seconds: float
    decode_seconds: float


Preparing = Future[Prepared | None]


Check = Callable[[], None]  # raises where nobody wants the audio any more


def prepare(request: JobRequest, check: Check = lambda: None) -> Prepared:
    """Fetch and decode; `check` is called all along, since a day of audio takes minutes.

    Raises:
        JobFailedError: audio_unreadable (permanent), audio_changed, audio_expired.
        Exception: whatever `check` raises.
    """
    since = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="gpu-job-") as folder:
        path = _fetched(request, Path(folder), check)
        fetched = time.perf_counter()
        try:
            samples = decode(path, request.audio_channels, request.audio_ms, check)
        except AudioUnreadableError as error:
            raise JobFailedError("audio_unreadable", str(error), permanent=True) from error
    return Prepared(samples, fetched - since, time.perf_counter() - fetched)


def prepare_ahead(request: JobRequest, check: Check = lambda: None) -> Prepared | None:
    """The same for a job that has no claim yet; None where it has its result already."""
    with contextlib.suppress(TransferError):  # the job itself will look once more
        if transfer.read(request.addresses.result_read) is not None:
            return None
    return prepare(request, check)


def _fetched(request: JobRequest, folder: Path, check: Check) -> Path:
    try:
        path = transfer.fetch(request.addresses.audio, folder, check)
    except TransferError as error:
        code: ErrorCode = "internal" if error.unreachable else "audio_changed"
        raise JobFailedError("audio_expired" if error.expired else code, str(error)) from error
    if sha256_of(path) != request.audio_sha256:
        raise JobFailedError("audio_changed", "the audio is not the one the job is about")
    return path
