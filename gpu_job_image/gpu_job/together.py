"""The words and the speakers of one recording, at the same time where the card can bear it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from .audio import Samples
from .contract import JobRequest
from .diarize.base import Diarization
from .errors import OutOfMemoryError
from .models import Models
from .speech.so_far import Speech

Lap = Callable[[str, float], None]  # a step's name and its seconds
Check = Callable[[], None]  # raises where the work must stop


class _OtherFailedError(Exception):
    """The words could not be had, so nobody needs the speakers."""


@dataclass
class Work:
    """One recording's work: `speech` and `diarization` grow while it goes on.

    check: for the speakers' own thread. go_on: the same for this one, which may keep what there
        is, too: the speakers of a day take an hour, and the words are known by then.
    """

    request: JobRequest
    models: Models
    samples: Samples
    check: Check
    go_on: Check
    progress: Callable[[int], None]
    lap: Lap
    speech: Speech = field(default_factory=Speech)
    diarization: Diarization | None = None

    def do(self) -> None:
        """Until both are known.

        Raises:
            Exception: of either; what is known by then is whole.
        """
        if not self._wants_speakers:
            self.diarization = Diarization()
        if self.diarization is None and self.models.sharing.allowed:
            self._both()
        else:
            self._transcribe(self.progress)
        if self.diarization is None:
            with self.models.sharing.measured(self.request.speech_ms):
                self.diarization = self._diarize(self.go_on)

    @property
    def _wants_speakers(self) -> bool:
        options = self.request.options
        separate = options.channels == "separate"  # the channels are the speakers
        return not (separate or options.diarizer == "none" or self.models.diarizer is None)

    def _both(self) -> None:
        over = threading.Event()

        def check() -> None:
            if over.is_set():
                raise _OtherFailedError
            self.check()

        transcriber = self.models.transcriber
        alone_windows, words_are_known = transcriber.batch_windows, True
        with ThreadPoolExecutor(1, thread_name_prefix="speakers") as thread:
            speakers = thread.submit(self._diarize, check)
            try:
                self._transcribe(lambda ms: (_raise_of(speakers), self.progress(ms))[1])
            except OutOfMemoryError:
                words_are_known = False
            except BaseException:
                over.set()
                raise
            try:
                self.diarization = speakers.result()
            except OutOfMemoryError:
                self.models.sharing.forbid()  # alone, it is tried once more
        if transcriber.batch_windows < alone_windows or not words_are_known:
            self.models.sharing.forbid()  # together was too much, and says nothing of alone
            transcriber.batch_windows = alone_windows
        if not words_are_known:
            self._transcribe(self.progress)

    def _transcribe(self, progress: Callable[[int], None]) -> None:
        since = time.perf_counter()
        request = self.request
        try:
            self.models.transcriber.transcribe(
                self.samples, request.regions, request.options, self.speech, progress
            )
        finally:
            self.lap("transcribe_seconds", time.perf_counter() - since)

    def _diarize(self, check: Check) -> Diarization:
        since, request = time.perf_counter(), self.request
        if self.models.diarizer is None:
            return Diarization()
        try:
            return self.models.diarizer.diarize(
                self.samples, request.regions, request.options.speakers, check
            )
        finally:
            self.lap("diarize_seconds", time.perf_counter() - since)


def _raise_of(speakers: "Future[Diarization]") -> None:
    """Ends the words early where the speakers failed, unless for want of memory."""
    error = speakers.exception() if speakers.done() else None
    if error is not None and not isinstance(error, OutOfMemoryError):
        raise error
