"""Transcribes and diarizes one recording, concurrently if the GPU has the memory."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from .common.audio import Samples
from .common.errors import OutOfMemoryError
from .common.purchases import Purchases
from .contract import JobRequest
from .diarize.base import Diarization
from .models import Models
from .transcribe.progress import TranscriptionProgress
from .transcribe.transcriber import Transcriber

Lap = Callable[[str, float], None]  # a step's name and its seconds
Check = Callable[[], None]  # raises where the work must stop


class _OtherFailedError(Exception):
    """Transcription failed, so diarization is cancelled."""


@dataclass
class ParallelWork:
    """One recording's work; `speech` and `diarization` hold what is done.

    check: for the diarization thread. proceed: the same for the main thread, which may also save a
        partial result: diarizing a day of audio takes an hour after the transcription is done.
    keep: saves a partial result for certain; raises if that is not possible.
    service_job: the id of a job at a service that finds the speakers.
    purchases: what this attempt bought, of words and of speakers.
    """

    request: JobRequest
    models: Models
    samples: Samples
    check: Check
    proceed: Check
    progress: Callable[[int], None]
    lap: Lap
    speech: TranscriptionProgress = field(default_factory=TranscriptionProgress)
    diarization: Diarization | None = None
    keep: Check = lambda: None
    service_job: str = ""
    purchases: Purchases = field(default_factory=Purchases)

    @property
    def bought_ms(self) -> int:
        """Audio that the attempt bought, if it writes the result."""
        turns = self.diarization
        return self.purchases.bought_ms + (turns.bought_ms if turns else 0)

    def do(self) -> None:
        """Run both to the end, or diarization alone if the job is only about speakers.

        Raises:
            Exception: of either step; what is done before that is consistent.
        """
        transcriber = self.models.transcriber
        if not self._wants_speakers:
            self.diarization = Diarization()
        if self.request.options.task == "diarize" or transcriber is None:
            self.proceed()
        elif self.diarization is None and self.models.sharing.allowed:
            self._both(transcriber)
        else:
            self._transcribe(transcriber, self.progress)
        if self.diarization is None:
            with self.models.sharing.measured(self.request.speech_ms):
                self.diarization = self._diarize(self.proceed)

    @property
    def _wants_speakers(self) -> bool:
        options = self.request.options
        if options.task == "diarize":
            return True
        separate = options.channels == "separate"  # each channel is one speaker
        return not (separate or options.diarizer == "none" or self.models.diarizer is None)

    def _both(self, transcriber: Transcriber) -> None:
        over = threading.Event()

        def check() -> None:
            if over.is_set():
                raise _OtherFailedError
            self.check()

        alone_windows, words_are_known = transcriber.batch_windows, True
        with ThreadPoolExecutor(1, thread_name_prefix="speakers") as thread:
            diarization = thread.submit(self._diarize, check)
            try:
                self._transcribe(
                    transcriber, lambda ms: (_raise_failure(diarization), self.progress(ms))[1]
                )
            except OutOfMemoryError:
                words_are_known = False
            except BaseException:
                over.set()
                raise
            try:
                self.diarization = diarization.result()
            except OutOfMemoryError:
                self.models.sharing.forbid()  # retried below, in turn
        if transcriber.batch_windows < alone_windows or not words_are_known:
            self.models.sharing.forbid()  # too much for both: says nothing about one alone
            transcriber.batch_windows = alone_windows
        if not words_are_known:
            self._transcribe(transcriber, self.progress)

    def _transcribe(self, transcriber: Transcriber, progress: Callable[[int], None]) -> None:
        since = time.perf_counter()
        request = self.request
        self.speech.purchases = self.purchases
        try:
            transcriber.transcribe(
                self.samples, request.regions, request.options, self.speech, progress
            )
        finally:
            self.lap("transcribe_seconds", time.perf_counter() - since)

    def _diarize(self, check: Check) -> Diarization:
        since, request = time.perf_counter(), self.request
        service = self.models.speaker_service
        if self.models.diarizer is None and service is None:
            return Diarization()
        try:
            if service is not None:
                return service.diarize(request, self.service_job, self._keep, check, self.purchases)
            return self.models.diarizer.diarize(
                self.samples, request.regions, request.options.speakers, check
            )
        finally:
            self.lap("diarize_seconds", time.perf_counter() - since)

    def _keep(self, service_job: str) -> None:
        self.service_job = service_job
        self.keep()


def _raise_failure(diarization: "Future[Diarization]") -> None:
    """Raise the diarization error early, unless it ran out of memory."""
    error = diarization.exception() if diarization.done() else None
    if error is not None and not isinstance(error, OutOfMemoryError):
        raise error
