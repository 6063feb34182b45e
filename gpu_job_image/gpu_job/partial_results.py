"""Partial results of an attempt, saved for the next one (docs/idempotency.md, rule 7)."""

import sys

from . import transfer
from .common.errors import without_addresses
from .contract import Contract, JobRequest, JobWarning, Segment, SpeakerEmbedding, Turn, WordTimes
from .contract.documents import RESULTS, read_document
from .contract.packing import packed
from .diarize.base import Diarization
from .transcribe.progress import TranscriptionProgress
from .transcribe.window_plan import WindowPlan
from .transcribe.windows import Window, laid_out

PARTIAL_SECONDS = 600.0  # of processing time between two saves


class KeptWindow(Contract):
    """A window as spans of the recording in milliseconds."""

    channel: int
    spans: tuple[tuple[int, int], ...]


class Partial(Contract):
    """The window plan, the words of its first `windows_done` windows, and the turns if known.

    windows: none if the job is only about speakers, or if transcription has not begun.
    service_job: the id of a job at a service that finds the speakers; it is paid for.
    turns_bought_ms: audio that the turns were bought for; the attempt that writes the result
        counts it.
    """

    job: str
    model_revision: str
    windows: tuple[KeptWindow, ...]
    language: str
    language_probability: float
    along: tuple[str, ...] = ()
    windows_done: int
    segments: tuple[Segment, ...]
    warnings: tuple[JobWarning, ...]
    has_turns: bool = False
    turns: tuple[Turn, ...] = ()
    exclusive_turns: tuple[Turn, ...] = ()
    speaker_embeddings: tuple[SpeakerEmbedding, ...] = ()
    diarizer: str = ""
    word_times: WordTimes = ""
    service_job: str = ""
    turns_bought_ms: int = 0

    @property
    def speech(self) -> TranscriptionProgress:
        """The transcription to resume."""
        if not (self.windows or self.windows_done or self.language):
            return TranscriptionProgress()
        windows = tuple(laid_out(each.channel, each.spans) for each in self.windows)
        return TranscriptionProgress(
            WindowPlan(windows, self.language, self.language_probability, self.along),
            self.windows_done,
            list(self.segments),
            list(self.warnings),
            self.word_times,
        )

    @property
    def diarization(self) -> Diarization | None:
        """The diarization; None if it was not done."""
        if not self.has_turns:
            return None
        return Diarization(
            self.turns,
            self.exclusive_turns,
            self.speaker_embeddings,
            self.diarizer,
            bought_ms=self.turns_bought_ms,
        )


def partial_of(
    request: JobRequest,
    speech: TranscriptionProgress,
    diarization: Diarization | None,
    service_job: str = "",
) -> Partial | None:
    """The partial result of the work so far; None if there is nothing worth saving."""
    begun = speech.plan is not None or request.options.task == "diarize"
    has_words, has_turns = begun and speech.windows_done, begun and diarization is not None
    if not (has_words or has_turns or service_job):
        return None
    found, plan = diarization or Diarization(), speech.plan or WindowPlan()
    return Partial(
        job=request.job,
        model_revision=request.model_revision,
        windows=tuple(_kept_window(window) for window in plan.windows),
        language=plan.language,
        language_probability=plan.probability,
        along=plan.along,
        windows_done=speech.windows_done,
        segments=tuple(speech.segments),
        warnings=tuple(speech.warnings),
        has_turns=diarization is not None,
        turns=found.turns,
        exclusive_turns=found.exclusive,
        speaker_embeddings=found.embeddings,
        diarizer=found.by,
        word_times=speech.word_times,
        service_job=service_job,
        turns_bought_ms=found.bought_ms,
    )


def save(
    request: JobRequest,
    speech: TranscriptionProgress,
    diarization: Diarization | None,
    service_job: str = "",
) -> bool:
    """Save a partial result; returns whether it was written. A failure never ends the attempt."""
    address = request.addresses.partial_write
    if address is None:
        return False
    try:
        partial = partial_of(request, speech, diarization, service_job)
        if partial is None:
            return False
        body = packed(partial.model_dump_json().encode())
        return transfer.put(address, body) is transfer.Put.WRITTEN
    except Exception as error:  # noqa: BLE001  # it runs while an attempt ends: the lease must still be ended
        sys.stderr.write(f"gpu_job: the partial result was not saved: {type(error).__name__}\n")
        return False


def load_earlier(request: JobRequest) -> Partial | None:
    """The newest usable partial result of an earlier attempt at this job, if there is one."""
    address = request.addresses.partial_read
    if address is None:
        return None
    try:
        body = transfer.read_surely(address)
        found = None if body is None else read_document(body, Partial, RESULTS)
    except (transfer.TransferError, OSError, ValueError) as error:
        sys.stderr.write(f"gpu_job: the partial result is not used: {without_addresses(error)}\n")
        return None  # start over: more expensive, but correct
    if found is None or found.job != request.job:
        return None
    if found.windows_done < 0:
        return None
    return found if found.model_revision == request.model_revision else None


def _kept_window(window: Window) -> KeptWindow:
    spans = tuple((piece.start_ms, piece.end_ms) for piece in window.pieces)
    return KeptWindow(channel=window.channel, spans=spans)
