"""Downloads and decodes a job's audio, on the CPU while the GPU processes another job."""

import contextlib
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from . import transfer
from .common.audio import AudioUnreadableError, Samples, decode, sha256_of
from .common.errors import JobFailedError
from .contract import ErrorCode, JobRequest
from .transfer import TransferError


@dataclass(frozen=True)
class Prepared:
    """int16 samples (channels, n) at 16 kHz, and the seconds of both steps."""

    samples: Samples
    download_seconds: float
    decode_seconds: float


Preparing = Future[Prepared | None]


Check = Callable[[], None]  # raises if the audio is no longer needed


def prepare(request: JobRequest, check: Check = lambda: None) -> Prepared:
    """Download and decode; `check` is called throughout, since a day of audio takes minutes.

    Raises:
        JobFailedError: audio_unreadable (permanent), audio_changed, audio_expired.
        Exception: whatever `check` raises.
    """
    since = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="gpu-job-") as folder:
        path = fetched(request, Path(folder), check)
        fetched_at = time.perf_counter()
        try:
            samples = decode(path, request.audio_channels, request.audio_ms, check)
        except AudioUnreadableError as error:
            raise JobFailedError("audio_unreadable", str(error), permanent=True) from error
    return Prepared(samples, fetched_at - since, time.perf_counter() - fetched_at)


def prepare_ahead(request: JobRequest, check: Check = lambda: None) -> Prepared | None:
    """The same for a job without a lease; None if it already has a result."""
    with contextlib.suppress(TransferError):  # the job itself checks again
        if transfer.read(request.addresses.result_read) is not None:
            return None
    return prepare(request, check)


def fetched(request: JobRequest, folder: Path, check: Check) -> Path:
    """The audio as a file, which is the one of the job.

    Raises:
        JobFailedError: audio_changed, audio_expired.
    """
    try:
        path = transfer.fetch(request.addresses.audio, folder, check)
    except TransferError as error:
        code: ErrorCode = "internal" if error.unreachable else "audio_changed"
        raise JobFailedError("audio_expired" if error.expired else code, str(error)) from error
    if sha256_of(path) != request.audio_sha256:
        raise JobFailedError(
            "audio_changed",
            "the audio in the bucket differs from the audio of the job; submit the recording again",
        )
    return path
