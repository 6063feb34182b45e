"""One attempt, from its request to its result (paid once, rules 3 to 8)."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from . import partial, transfer
from .claims import FencedError, Ownership, clock_seconds
from .contract import JobError, JobRequest, JobResult, SpeakerEmbedding, Timings
from .errors import JobFailedError, is_card_lost, is_out_of_memory, without_addresses
from .models import Models
from .packing import packed
from .prepare import Prepared, Preparing, prepare
from .stop import Stop, StoppedError
from .together import Work
from .transfer import TransferError

Report = Callable[[int], None]  # milliseconds of speech done


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended for this worker; `duplicate` when the job is somebody else's.

    retire: this process must not take another job, and why; empty where it may.
    """

    state: str  # done, failed, stopped or duplicate
    error: JobError | None = None
    retire: str = ""


@dataclass
class Stopwatch:
    """Seconds of each step."""

    steps: dict[str, float] = field(default_factory=dict)

    def add(self, step: str, seconds: float) -> None:
        """To what the step has taken already."""
        self.steps[step] = self.steps.get(step, 0.0) + seconds

    def timings(self) -> Timings:
        """As the contract tells them."""
        return Timings(**{step: round(seconds, 4) for step, seconds in self.steps.items()})


def run_job(
    request: JobRequest,
    models: Models,
    report: Report,
    stop: Stop | None = None,
    preparing: Preparing | None = None,
) -> Outcome:
    """Do the job unless it is done or somebody else's, and write its result once.

    Args:
        request: the attempt.
        models: loaded before.
        report: told the milliseconds of speech done.
        stop: asked between batches.
        preparing: the audio, where somebody fetches it already.
    """
    try:
        if transfer.read(request.addresses.result_read) is not None:
            return Outcome("duplicate")
        owner = Ownership.take(request, models.session)
    except TransferError as error:
        return Outcome("failed", _error_of(error))
    if owner is None:
        return Outcome("duplicate")
    outcome = _Attempt(request, models, owner, report, stop or Stop()).run(preparing)
    models.retirement.job_done(broken=outcome.retire)
    return Outcome(outcome.state, outcome.error, models.retirement.reason)


class _Attempt:
    """A claimed attempt on its way."""

    def __init__(
        self, request: JobRequest, models: Models, owner: Ownership, report: Report, stop: Stop
    ) -> None:
        self._request, self._models, self._owner = request, models, owner
        self._report, self._stop = report, stop
        self._watch = Stopwatch({"load_seconds": models.load_seconds})
        self._work: Work | None = None
        self._began = self._kept_at = clock_seconds()

    def run(self, preparing: Preparing | None) -> Outcome:
        """Until the claim says how it ended; a fenced owner leaves it as it is."""
        try:
            with self._owner.beating():
                self._do(preparing)
        except FencedError:
            return Outcome("stopped")
        except StoppedError as stopped:
            self._keep()
            return self._stopped(stopped)
        except Exception as crash:  # noqa: BLE001  # the claim must tell how it ended, whatever it was
            self._keep()
            error = _error_of(crash)
            self._owner.end("failed", error)
            ruined = error.code == "out_of_memory" or is_card_lost(crash)
            return Outcome("failed", error, error.message if ruined else "")
        self._owner.end("done")
        return Outcome("done")

    def _stopped(self, stopped: StoppedError) -> Outcome:
        """In good order; who took too long has failed, and the next attempt goes on from there."""
        if stopped.reason == "run_limit":
            error = JobError(code="internal", permanent=False, message=str(stopped))
            self._owner.end("failed", error)
            return Outcome("failed", error)
        error = JobError(code="cancelled", permanent=False, message=str(stopped))
        self._owner.end("stopped", error)
        return Outcome("stopped", error)

    def _do(self, preparing: Preparing | None) -> None:
        self._models.must_serve(self._request.options)
        audio = self._audio(preparing)
        before = partial.earlier(self._request)
        work = self._work = Work(
            self._request,
            self._models,
            audio.samples,
            self._check,
            self._progress,
            self._watch.add,
        )
        if before is not None:
            work.speech, work.diarization = before.speech, before.diarization
            self._owner.note(self._watch.timings(), audio_ms_resumed=_speech_ms(work))
        self._check()
        work.do()
        self._progress(sum(region.end_ms - region.start_ms for region in self._request.regions))
        self._write(work)

    def _audio(self, preparing: Preparing | None) -> Prepared:
        prepared = preparing.result() if preparing is not None else None
        prepared = prepared or prepare(self._request)
        self._watch.add("download_seconds", prepared.download_seconds)
        self._watch.add("decode_seconds", prepared.decode_seconds)
        return prepared

    def _progress(self, done_ms: int) -> None:
        """After each batch: told, kept, and stopped here where it must be."""
        card = self._models.session.card
        card.memory()
        self._owner.note(
            self._watch.timings(), audio_ms_done=done_ms, peak_vram_bytes=card.peak_bytes
        )
        self._report(done_ms)
        self._check()
        if clock_seconds() - self._kept_at > partial.PARTIAL_SECONDS:
            self._keep()

    def _check(self) -> None:
        self._owner.check()
        limit = self._request.limits.run_seconds
        if limit is not None and clock_seconds() - self._began > limit:
            self._stop.say("run_limit")
        self._stop.check()

    def _keep(self) -> None:
        """What is done so far, for the next attempt; an owner that is fenced keeps nothing."""
        self._kept_at = clock_seconds()
        if self._work is not None and self._owner.is_heard:
            so_far = partial.partial_of(self._request, self._work.speech, self._work.diarization)
            partial.save(self._request, so_far)

    def _write(self, work: Work) -> None:
        since = time.perf_counter()
        body = packed(_result(self._request, self._owner, work).model_dump_json().encode())
        addresses = self._request.addresses
        transfer.put_surely(addresses.result_create, body, addresses.result_read, self._owner.check)
        self._watch.add("upload_seconds", time.perf_counter() - since)
        self._owner.note(self._watch.timings())


def _speech_ms(work: Work) -> int:
    """Speech of which the words are known already, as far as its segments tell."""
    return sum(segment.end_ms - segment.start_ms for segment in work.speech.segments)


def _result(request: JobRequest, owner: Ownership, work: Work) -> JobResult:
    found = work.diarization
    embeddings: tuple[SpeakerEmbedding, ...] = ()
    if found is not None and request.options.speaker_embeddings:
        embeddings = found.embeddings
    return JobResult(
        job=request.job,
        attempt=request.attempt,
        nonce=owner.nonce,
        language=work.speech.language,
        language_probability=round(work.speech.language_probability, 4),
        model_revision=request.model_revision,
        segments=tuple(work.speech.segments),
        turns=found.turns if found else (),
        exclusive_turns=found.exclusive if found else (),
        speaker_embeddings=embeddings,
        usage=owner.usage_now(),
        warnings=tuple(work.speech.warnings),
    )


def _error_of(crash: Exception) -> JobError:
    """By its kind; never with an address inside."""
    if isinstance(crash, JobFailedError):
        return crash.error
    if isinstance(crash, TransferError) and crash.expired:
        return JobError(
            code="audio_expired",
            permanent=False,
            message=f"{crash}: its addresses are no longer valid; sign them again",
        )
    code = "out_of_memory" if is_out_of_memory(crash) else "internal"
    return JobError(code=code, permanent=False, message=without_addresses(crash))  # type: ignore[arg-type]
