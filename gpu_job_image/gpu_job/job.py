"""One attempt, from its request to its result (paid once, rules 3 to 8)."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import transfer
from .audio import AudioUnreadableError, Samples, decode, sha256_of
from .claims import FencedError, Ownership
from .contract import JobError, JobRequest, JobResult, Timings, Turn
from .diarize.base import Diarizer
from .speech import Speech, Transcriber
from .transfer import Put, TransferError

Report = Callable[[int], None]  # milliseconds of speech done


@dataclass(frozen=True)
class Models:
    """What a worker has loaded, for one job after another."""

    transcriber: Transcriber
    diarizer: Diarizer | None
    worker: str
    load_seconds: float


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended for this worker; `duplicate` when the job is somebody else's."""

    state: str  # done, failed, stopped or duplicate
    error: JobError | None = None


class _RefusedError(Exception):
    """The job cannot be done, and why."""

    def __init__(self, error: JobError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass
class Stopwatch:
    """Seconds of each step."""

    steps: dict[str, float] = field(default_factory=dict)

    def lap(self, step: str, since: float) -> float:
        """Add the time since `since` to a step; returns now."""
        now = time.perf_counter()
        self.steps[step] = self.steps.get(step, 0.0) + now - since
        return now

    def timings(self) -> Timings:
        """As the contract tells them."""
        return Timings(**{step: round(seconds, 4) for step, seconds in self.steps.items()})


def run_job(request: JobRequest, models: Models, report: Report) -> Outcome:
    """Do the job unless it is done or somebody else's, and write its result once."""
    if transfer.read(request.addresses.result_read) is not None:
        return Outcome("duplicate")
    owner = Ownership.take(request, models.worker)
    if owner is None:
        return Outcome("duplicate")
    watch = Stopwatch({"load_seconds": models.load_seconds})
    try:
        with owner.beating():
            _work(request, models, owner, watch, report)
    except FencedError:
        return Outcome("stopped")
    except _RefusedError as refused:
        owner.end("failed", refused.error)
        return Outcome("failed", refused.error)
    except Exception as crash:  # noqa: BLE001  # the claim must tell how it ended, whatever it was
        error = JobError(code="internal", permanent=False, message=_without_addresses(crash))
        owner.end("failed", error)
        return Outcome("failed", error)
    owner.end("done")
    return Outcome("done")


def _work(
    request: JobRequest, models: Models, owner: Ownership, watch: Stopwatch, report: Report
) -> None:
    samples = _samples(request, watch)
    since = time.perf_counter()

    def progress(done_ms: int) -> None:
        owner.progress(audio_ms_done=done_ms, timings=watch.timings())
        report(done_ms)

    speech = models.transcriber.transcribe(samples, request.regions, request.options, progress)
    since = watch.lap("transcribe_seconds", since)
    turns = _turns(request, models, samples)
    since = watch.lap("diarize_seconds", since)
    owner.progress(audio_ms_done=request.audio_ms, timings=watch.timings())
    body = _result(request, owner, speech, turns).model_dump_json().encode()
    outcome = transfer.put(request.addresses.result_create, body)
    if outcome is Put.UNSURE and transfer.read(request.addresses.result_read) is None:
        raise TransferError("the result could not be written")
    watch.lap("upload_seconds", since)
    owner.note(watch.timings())


def _samples(request: JobRequest, watch: Stopwatch) -> Samples:
    since = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="gpu-job-") as folder:
        path = _fetched(request, Path(folder))
        since = watch.lap("download_seconds", since)
        try:
            samples = decode(path, request.audio_channels, request.audio_ms)
        except AudioUnreadableError as error:
            raise _refuse("audio_unreadable", str(error), permanent=True) from error
    watch.lap("decode_seconds", since)
    return samples


def _fetched(request: JobRequest, folder: Path) -> Path:
    try:
        path = transfer.fetch(request.addresses.audio, folder)
    except TransferError as error:
        raise _refuse("audio_changed", str(error), permanent=False) from error
    if sha256_of(path) != request.audio_sha256:
        raise _refuse("audio_changed", "the audio is not the one the job is about", permanent=False)
    return path


def _turns(request: JobRequest, models: Models, samples: Samples) -> tuple[Turn, ...]:
    options = request.options
    if options.channels == "separate" or options.diarizer == "none" or models.diarizer is None:
        return ()  # separate channels are the speakers
    return models.diarizer.turns(samples, request.regions, options.speakers)


def _result(
    request: JobRequest,
    owner: Ownership,
    speech: Speech,
    turns: tuple[Turn, ...],
) -> JobResult:
    return JobResult(
        job=request.job,
        attempt=request.attempt,
        nonce=owner.nonce,
        language=speech.language,
        language_probability=round(speech.language_probability, 4),
        model_revision=request.model_revision,
        segments=speech.segments,
        turns=turns,
        usage=owner.usage_now(),
    )


def _refuse(code: str, message: str, *, permanent: bool) -> _RefusedError:
    return _RefusedError(JobError(code=code, permanent=permanent, message=message))  # type: ignore[arg-type]


def _without_addresses(crash: Exception) -> str:
    """The kind of a crash and its text, unless the text may hold an address."""
    text = str(crash)
    return f"{type(crash).__name__}: {text}" if "://" not in text else type(crash).__name__
