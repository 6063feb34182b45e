"""Jobs as RunPod delivers them.

One job runs; when it is nearly done, the next one is downloaded and decoded. Answers to RunPod are
hints; the bucket holds the facts.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from .audio_download import Preparing, prepare_ahead
from .common.errors import without_addresses
from .contract import JobRequest
from .job import AttemptOutcome, run_job
from .lookahead import WITH_THE_NEXT, Lookahead
from .models import Models
from .runpod_answers import (
    NoRequestError,
    answer,
    error_answer,
    given_back,
    internal,
    progress_of,
    request_of,
)
from .stop_request import Stop

Delivery = dict[str, Any]
Report = Callable[[Delivery, dict[str, Any]], None]
PROGRESS_EVERY_SECONDS = 5.0


class RunPodHandler:
    """Called by RunPod's SDK with a delivery; answers with a small dict.

    models: the loaded models.
    run: runs the job; blocks, in a thread.
    report: sends progress to RunPod; returns immediately.
    retired: why this process must not take another job; empty if it may.
    """

    def __init__(
        self,
        models: Models,
        run: Callable[..., AttemptOutcome] = run_job,
        report: Report = lambda _delivery, _progress: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models, self._run, self._report, self._clock = models, run, report, clock
        self.lookahead = Lookahead(clock=clock)
        self.retired = ""
        self._leaving = ""
        self._stops: set[Stop] = set()
        self._card = asyncio.Lock()
        self._computing = ThreadPoolExecutor(1, thread_name_prefix="job")
        self._preparing = ThreadPoolExecutor(WITH_THE_NEXT, thread_name_prefix="ahead")

    async def __call__(self, delivery: Delivery) -> dict[str, Any]:
        """Run the job of a delivery. If cancelled, it returns after the work has stopped."""
        try:
            request = request_of(delivery)
        except NoRequestError as error:
            return error_answer(internal(str(error)))
        with self._in_hand() as stop:
            if not self._must_leave:
                ahead = self._preparing.submit(prepare_ahead, request, stop.check)
                async with self._card:
                    if not self._must_leave:
                        return answer(request, await self._compute(delivery, request, stop, ahead))
        # no lease was taken: the orchestrator marks the attempt as never started and retries
        return answer(request, AttemptOutcome("failed", given_back(self._must_leave), self.retired))

    def preempted(self) -> None:
        """Stop all jobs: the machine is being reclaimed. Safe to call from a signal handler."""
        self._leaving = "the machine was reclaimed before the job started"
        for stop in tuple(self._stops):
            stop.request("preempted")

    @property
    def _must_leave(self) -> str:
        """Why no other job is started; empty if one may be."""
        return self._leaving or (self.retired and f"the worker restarts: {self.retired}")

    @contextlib.contextmanager
    def _in_hand(self) -> Iterator[Stop]:
        stop = Stop()
        self._stops.add(stop)
        self.lookahead.jobs += 1
        try:
            yield stop
        finally:
            self.lookahead.jobs -= 1
            self._stops.discard(stop)
            stop.request("cancelled")  # ends a download of its audio

    async def _compute(
        self, delivery: Delivery, request: JobRequest, stop: Stop, ahead: Preparing
    ) -> AttemptOutcome:
        """Run the job in a thread, and hold the GPU until that thread has ended."""
        report = self._reporter(delivery, request)
        self.lookahead.began(request.speech_ms)
        work = partial(self._guarded, request, report, stop, ahead)
        thread = asyncio.get_running_loop().run_in_executor(self._computing, work)
        whole = False
        try:
            outcome = await asyncio.shield(thread)
            whole = outcome.state == "done"
        except asyncio.CancelledError:
            stop.request("cancelled")
            await _wait_for_end(thread)
            raise
        finally:
            self.lookahead.ended(whole=whole)
        return outcome

    def _guarded(
        self, request: JobRequest, report: Callable[[int], None], stop: Stop, ahead: Preparing
    ) -> AttemptOutcome:
        try:
            outcome = self._run(request, self._models, report, stop, preparing=ahead)
        except Exception as crash:  # noqa: BLE001  # RunPod must get an answer
            outcome = AttemptOutcome("failed", internal(without_addresses(crash)))
        self.retired = self.retired or outcome.retire
        return outcome

    def _reporter(self, delivery: Delivery, request: JobRequest) -> Callable[[int], None]:
        """A callback that updates the lookahead immediately, and RunPod every few seconds."""
        reported_at = -PROGRESS_EVERY_SECONDS + self._clock()

        def report(done_ms: int) -> None:
            nonlocal reported_at
            self.lookahead.progressed(done_ms)
            if done_ms and self._clock() - reported_at >= PROGRESS_EVERY_SECONDS:
                reported_at = self._clock()
                self._report(delivery, progress_of(request, done_ms))

        return report


async def _wait_for_end(thread: "asyncio.Future[AttemptOutcome]") -> None:
    """Wait for the thread even if cancelled again: the GPU is in use until it ends."""
    while not thread.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({thread})
