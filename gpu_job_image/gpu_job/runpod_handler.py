"""`python -m gpu_job.runpod_handler`: the image's command on RunPod serverless.

One job computes; when it is nearly done the next one is fetched and decoded. What RunPod is told
is a hint: what counts stands in the bucket.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from .contract import JobRequest
from .errors import without_addresses
from .job import Outcome, run_job
from .lookahead import WITH_THE_NEXT, Lookahead
from .models import Models, load_models
from .prepare import Preparing, prepare_ahead
from .runpod_answers import (
    NoRequestError,
    answer,
    given_back,
    internal,
    progress_of,
    request_of,
    told,
)
from .settings import WorkerSettings
from .stop import Stop
from .weights import read_ahead

Delivery = dict[str, Any]
Tell = Callable[[Delivery, dict[str, Any]], None]
PROGRESS_EVERY_SECONDS = 5.0


class RunPodHandler:
    """Called by RunPod's SDK with a delivery; an answer is a small dict.

    models: loaded before.
    run: computes; blocks, in a thread.
    tell: sends progress to RunPod; returns at once.
    retired: why this process must not take another job; empty where it may.
    """

    def __init__(
        self,
        models: Models,
        run: Callable[..., Outcome] = run_job,
        tell: Tell = lambda _delivery, _progress: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models, self._run, self._tell, self._clock = models, run, tell, clock
        self.lookahead = Lookahead(clock=clock)
        self.retired = ""
        self._leaving = ""
        self._stops: set[Stop] = set()
        self._card = asyncio.Lock()
        self._computing = ThreadPoolExecutor(1, thread_name_prefix="job")
        self._preparing = ThreadPoolExecutor(WITH_THE_NEXT, thread_name_prefix="ahead")

    async def __call__(self, delivery: Delivery) -> dict[str, Any]:
        """Do the job of a delivery. Cancelled, it returns once the work has really stopped."""
        try:
            request = request_of(delivery)
        except NoRequestError as error:
            return told(internal(str(error)))
        with self._in_hand() as stop:
            if not self._must_leave:
                ahead = self._preparing.submit(prepare_ahead, request, stop.check)
                async with self._card:
                    if not self._must_leave:
                        return answer(request, await self._compute(delivery, request, stop, ahead))
        # no claim was taken: the orchestrator buries the attempt and submits the next one
        return answer(request, Outcome("failed", given_back(self._must_leave), self.retired))

    def preempted(self) -> None:
        """The machine is about to be taken away. Safe to call from a signal handler."""
        self._leaving = "the machine was about to be taken away before the job began"
        for stop in tuple(self._stops):
            stop.say("preempted")

    @property
    def _must_leave(self) -> str:
        """Why no other job is begun."""
        return self._leaving or (self.retired and f"the worker begins anew: {self.retired}")

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
            stop.say("cancelled")  # whoever still fetches its audio may cease

    async def _compute(
        self, delivery: Delivery, request: JobRequest, stop: Stop, ahead: Preparing
    ) -> Outcome:
        """Compute in a thread, and hold the card until that thread has ended, whatever comes."""
        report = self._report(delivery, request)
        self.lookahead.began(request.speech_ms)
        work = partial(self._guarded, request, report, stop, ahead)
        thread = asyncio.get_running_loop().run_in_executor(self._computing, work)
        whole = False
        try:
            outcome = await asyncio.shield(thread)
            whole = outcome.state == "done"
        except asyncio.CancelledError:
            stop.say("cancelled")
            await _really_ended(thread)
            raise
        finally:
            self.lookahead.ended(whole=whole)
        return outcome

    def _guarded(
        self, request: JobRequest, report: Callable[[int], None], stop: Stop, ahead: Preparing
    ) -> Outcome:
        try:
            outcome = self._run(request, self._models, report, stop, preparing=ahead)
        except Exception as crash:  # noqa: BLE001  # whatever it was, RunPod must hear of the end
            outcome = Outcome("failed", internal(without_addresses(crash)))
        self.retired = self.retired or outcome.retire
        return outcome

    def _report(self, delivery: Delivery, request: JobRequest) -> Callable[[int], None]:
        """Progress for the lookahead at once, for RunPod every few seconds."""
        told_at = -PROGRESS_EVERY_SECONDS + self._clock()

        def report(done_ms: int) -> None:
            nonlocal told_at
            self.lookahead.progressed(done_ms)
            if done_ms and self._clock() - told_at >= PROGRESS_EVERY_SECONDS:
                told_at = self._clock()
                self._tell(delivery, progress_of(request, done_ms))

        return report


async def _really_ended(thread: "asyncio.Future[Outcome]") -> None:
    """Wait for it even when cancelled again: a card in use is no free card."""
    while not thread.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({thread})


def main() -> int:
    """Entry point; returns when RunPod, or a signal, ends the worker."""
    try:
        settings = WorkerSettings.from_environment()
    except ValueError as error:
        sys.stderr.write(f"gpu_job: {error}\n")
        return 2
    read_ahead(settings)
    from .runpod_loop import serve  # noqa: PLC0415  # importing runpod takes seconds

    serve(settings, lambda tell: RunPodHandler(load_models(settings), tell=tell))
    return 0


if __name__ == "__main__":
    sys.exit(main())
