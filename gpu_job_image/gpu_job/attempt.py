"""Runs an attempt that holds its lease (docs/idempotency.md, rules 5 to 8)."""

import time
from collections.abc import Callable
from concurrent.futures import wait

from . import partial_results, transfer
from .attempt_outcome import AttemptOutcome, Stopwatch, error_of
from .attempt_outcome import stopped as stopped_error
from .audio_download import Prepared, Preparing, prepare
from .common.audio import NO_SAMPLES, Samples
from .common.errors import is_card_lost
from .common.purchases import Purchases
from .contract import JobError, JobRequest
from .contract.packing import packed
from .lease_ownership import FencedError, LeaseOwnership, clock_seconds
from .models import Models
from .parallel_stages import ParallelWork
from .result import result_of
from .stop_request import Stop, StoppedError

Report = Callable[[int], None]  # milliseconds of speech done
_POLL_SECONDS = 1.0  # the longest delay of a stop while the audio is downloaded


class RunningAttempt:
    """An attempt that holds its lease, from its audio to its result."""

    def __init__(
        self, request: JobRequest, models: Models, owner: LeaseOwnership, report: Report, stop: Stop
    ) -> None:
        self._request, self._models, self._owner = request, models, owner
        self._report, self._stop = report, stop
        self._watch = Stopwatch({"load_seconds": models.load_seconds})
        self._work: ParallelWork | None = None
        self._began = self._saved_at = clock_seconds()
        self._windows_saved = 0

    def run(self, preparing: Preparing | None) -> AttemptOutcome:
        """Run to the end and write the outcome to the lease; a fenced owner does not write it."""
        try:
            return self._ended(preparing)
        finally:
            self._work = None  # breaks a reference cycle that would keep the samples in memory

    def _ended(self, preparing: Preparing | None) -> AttemptOutcome:
        try:
            with self._owner.heartbeats():
                self._do(preparing)
        except FencedError:
            return AttemptOutcome("stopped")
        except StoppedError as stopped:
            self._save_partial()
            return self._stopped(stopped)
        except Exception as crash:  # noqa: BLE001  # the lease must say how the attempt ended
            self._save_partial()
            error = error_of(crash)
            self._owner.end("failed", error)
            unusable = error.code == "out_of_memory" or is_card_lost(crash)
            return AttemptOutcome("failed", error, error.message if unusable else "")
        self._owner.end("done")
        return AttemptOutcome("done")

    def _stopped(self, stopped: StoppedError) -> AttemptOutcome:
        """Write the stop to the lease; past its run limit, an attempt counts as failed."""
        if stopped.reason == "run_limit":
            error = JobError(code="internal", permanent=False, message=str(stopped))
            self._owner.end("failed", error)
            return AttemptOutcome("failed", error)
        error = stopped_error(stopped)
        self._owner.end("stopped", error)
        return AttemptOutcome("stopped", error)

    def _do(self, preparing: Preparing | None) -> None:
        self._models.check_options(self._request.options)
        samples = self._samples(preparing)
        before = partial_results.load_earlier(self._request)
        work = self._work = ParallelWork(
            self._request,
            self._models,
            samples,
            self._check,
            self._continue,
            self._progress,
            self._watch.add,
            keep=self._keep_partial,
            purchases=Purchases(tell=self._bought),
        )
        if before is not None:
            work.speech, work.diarization = before.speech, before.diarization
            self._windows_saved = work.speech.windows_done
            work.service_job = before.service_job
            self._owner.note(self._watch.timings(), audio_ms_resumed=_speech_ms(work))
        self._check()
        work.do()
        self._progress(self._request.speech_ms)
        self._write(work)

    def _samples(self, preparing: Preparing | None) -> Samples:
        """The decoded audio; nothing where a service gets its address instead."""
        if self._models.speaker_service is not None:
            return NO_SAMPLES
        return self._audio(preparing).samples

    def _audio(self, preparing: Preparing | None) -> Prepared:
        prepared = self._prepared(preparing) if preparing is not None else None
        prepared = prepared or prepare(self._request, self._check)
        self._watch.add("download_seconds", prepared.download_seconds)
        self._watch.add("decode_seconds", prepared.decode_seconds)
        return prepared

    def _prepared(self, preparing: Preparing) -> Prepared | None:
        """The audio of a download in progress; a stop does not wait for it."""
        while True:
            self._check()
            wait({preparing}, timeout=_POLL_SECONDS)
            if preparing.done():
                return preparing.result()

    def _progress(self, done_ms: int) -> None:
        """Called after each batch: report, save a partial result when due, stop if required."""
        card = self._models.session.card
        card.memory()
        self._owner.note(
            self._watch.timings(), audio_ms_done=done_ms, peak_vram_bytes=card.peak_bytes
        )
        self._report(done_ms)
        self._continue()

    def _bought(self, bought_ms: int) -> None:
        """Send a heartbeat before more is bought: after a kill, the lease must know of it."""
        is_more = bought_ms > (self._owner.usage.bought_ms or 0)
        self._owner.note(self._watch.timings(), bought_ms=bought_ms)
        if is_more:
            self._owner.beat()

    def _continue(self) -> None:
        """Raise if the attempt must stop; otherwise save a partial result when it is due."""
        self._check()
        if self._models.is_api:
            self._keep_bought_piece()
        elif clock_seconds() - self._saved_at > partial_results.PARTIAL_SECONDS:
            self._save_partial()

    def _keep_bought_piece(self) -> None:
        """Save a new piece of an API's before the next one is bought."""
        done = self._work.speech.windows_done if self._work is not None else 0
        if done > self._windows_saved:
            self._keep_partial()
            self._windows_saved = done

    def _check(self) -> None:
        self._owner.check()
        limit = self._request.limits.run_seconds
        if limit is not None and clock_seconds() - self._began > limit:
            raise StoppedError(
                "run_limit"
            )  # applies to this job only: `stop` applies to the process
        self._stop.check()

    def _save_partial(self) -> bool:
        """Save a partial result for the next attempt; a fenced owner saves nothing."""
        self._saved_at = clock_seconds()
        if self._work is None or not self._owner.may_write:
            return False
        work = self._work
        return partial_results.save(self._request, work.speech, work.diarization, work.service_job)

    def _keep_partial(self) -> None:
        """Save what was bought before anything else happens, so that it is not bought again.

        Raises:
            TransferError: the store does not take it.
        """
        if self._request.addresses.partial_write is None:
            return
        for pause in transfer.PAUSES_SECONDS:
            self._check()
            if self._save_partial():
                return
            time.sleep(pause)
        raise transfer.TransferError("what was bought could not be saved", unreachable=True)

    def _write(self, work: ParallelWork) -> None:
        since = time.perf_counter()
        body = packed(result_of(self._request, self._owner, work).model_dump_json().encode())
        addresses = self._request.addresses
        transfer.put_surely(addresses.result_create, body, addresses.result_read, self._owner.check)
        self._watch.add("upload_seconds", time.perf_counter() - since)
        buys = self._owner.usage.bought_ms is not None
        bought = {"bought_ms": work.bought_ms} if buys else {}
        self._owner.note(self._watch.timings(), **bought)


def _speech_ms(work: ParallelWork) -> int:
    """Milliseconds of speech that the segments cover."""
    return sum(segment.end_ms - segment.start_ms for segment in work.speech.segments)
