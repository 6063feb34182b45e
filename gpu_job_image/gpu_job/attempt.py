"""A claimed attempt on its way (paid once, rules 5 to 8)."""

import time
from collections.abc import Callable
from concurrent.futures import wait

from . import partial, transfer
from .claims import FencedError, Ownership, clock_seconds
from .contract import JobError, JobRequest
from .errors import is_card_lost
from .models import Models
from .outcome import Outcome, Stopwatch, error_of
from .outcome import stopped as stopped_error
from .packing import packed
from .prepare import Prepared, Preparing, prepare
from .result import result_of
from .stop import Stop, StoppedError
from .together import Work

Report = Callable[[int], None]  # milliseconds of speech done
_LOOK_SECONDS = 1.0  # how long a stop may go unnoticed while the audio is on its way


class Attempt:
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
            return self._ended(preparing)
        finally:
            self._work = None  # it knows this attempt, so only a collector would find the samples

    def _ended(self, preparing: Preparing | None) -> Outcome:
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
            error = error_of(crash)
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
        error = stopped_error(stopped)
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
            self._go_on,
            self._progress,
            self._watch.add,
        )
        if before is not None:
            work.speech, work.diarization = before.speech, before.diarization
            self._owner.note(self._watch.timings(), audio_ms_resumed=_speech_ms(work))
        self._check()
        work.do()
        self._progress(self._request.speech_ms)
        self._write(work)

    def _audio(self, preparing: Preparing | None) -> Prepared:
        prepared = self._prepared(preparing) if preparing is not None else None
        prepared = prepared or prepare(self._request, self._check)
        self._watch.add("download_seconds", prepared.download_seconds)
        self._watch.add("decode_seconds", prepared.decode_seconds)
        return prepared

    def _prepared(self, preparing: Preparing) -> Prepared | None:
        """What somebody fetches already; who must stop does not wait for it."""
        while True:
            self._check()
            wait({preparing}, timeout=_LOOK_SECONDS)
            if preparing.done():
                return preparing.result()

    def _progress(self, done_ms: int) -> None:
        """After each batch: told, kept, and stopped here where it must be."""
        card = self._models.session.card
        card.memory()
        self._owner.note(
            self._watch.timings(), audio_ms_done=done_ms, peak_vram_bytes=card.peak_bytes
        )
        self._report(done_ms)
        self._go_on()

    def _go_on(self) -> None:
        """Stop here where it must be; else keep what there is, every ten minutes."""
        self._check()
        if clock_seconds() - self._kept_at > partial.PARTIAL_SECONDS:
            self._keep()

    def _check(self) -> None:
        self._owner.check()
        limit = self._request.limits.run_seconds
        if limit is not None and clock_seconds() - self._began > limit:
            raise StoppedError("run_limit")  # of this job alone: `stop` is the whole process's
        self._stop.check()

    def _keep(self) -> None:
        """What is done so far, for the next attempt; an owner that is fenced keeps nothing."""
        self._kept_at = clock_seconds()
        if self._work is not None and self._owner.is_heard:
            partial.keep(self._request, self._work.speech, self._work.diarization)

    def _write(self, work: Work) -> None:
        since = time.perf_counter()
        body = packed(result_of(self._request, self._owner, work).model_dump_json().encode())
        addresses = self._request.addresses
        transfer.put_surely(addresses.result_create, body, addresses.result_read, self._owner.check)
        self._watch.add("upload_seconds", time.perf_counter() - since)
        self._owner.note(self._watch.timings())


def _speech_ms(work: Work) -> int:
    """Speech of which the words are known already, as far as its segments tell."""
    return sum(segment.end_ms - segment.start_ms for segment in work.speech.segments)
