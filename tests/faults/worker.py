"""A worker in a separate process: the real job code, with a transcriber that takes virtual time."""

import signal
import threading
from datetime import datetime
from types import SimpleNamespace

from gpu_job import attempt, lease_ownership, session, transfer
from gpu_job.common.errors import JobFailedError
from gpu_job.contract import JobRequest, Segment, Word, process_identity
from gpu_job.job import run_job
from gpu_job.models import Models
from gpu_job.runpod_answers import answer
from gpu_job.session import WorkerSession
from gpu_job.stop_request import Stop
from gpu_job.transcribe.window_plan import WindowPlan
from gpu_job.transfer import Put, TransferError

from .recording import HEARS_SECONDS
from .steps import Steps, die
from .timeline import Line
from .wall import live_by

_TOUCH = {name: getattr(transfer, name) for name in ("read", "put", "fetch")}


def live(  # noqa: PLR0913  # how it runs, by name
    parent,
    *,
    request,
    timeline,
    began,
    dies_at=0,
    after=False,
    lives_seconds=None,
    cut_off=None,
    expired=False,
    tears=False,
    fails="",
    slow=1,
    skew_seconds=0.0,
    elsewhere=True,
):
    """Do one job.

    lives_seconds: of transcription, until SIGKILL. cut_off: start and end, in seconds from its
    start, of the time without access to the bucket. expired: its addresses have expired. slow: a
    factor for the time of transcription. tears: it writes half a result.
    """
    line, watch, stop = Line(timeline), Line(timeline, joins=False), Stop()
    signal.signal(signal.SIGTERM, lambda *_: stop.request("cancelled"))
    parent.send(process_identity.here().pid)
    began_at = watch.now()
    live_by(watch.now, datetime.fromisoformat(began), skew_seconds)
    if elsewhere:
        away = process_identity.here().model_copy(update={"boot_id": "another machine"})
        process_identity.here = lambda: away
    live_on(timeline, line, watch)
    steps = Steps(dies_at, after)
    cut_off = [began_at + seconds for seconds in cut_off or (0, 0)]
    Bucket(steps, lambda: cut_off[0] <= watch.now() < cut_off[1], expired=expired, tears=tears)
    transcriber = Transcriber(line, lives_seconds, fails, slow)
    made = JobRequest.model_validate(request)
    models = Models(transcriber, session=WorkerSession("pod"))
    outcome = run_job(made, models, lambda _: None, stop)
    report = {"answer": answer(made, outcome), "state": outcome.state, "steps": steps.named}
    parent.send(report | {"heard_seconds": transcriber.heard_seconds})


def live_on(timeline, line, watch):
    """All waits of the worker use virtual time, also in the thread of the heartbeats."""

    class Event:
        """Created by one thread; another one waits for it, and the clock waits for that one."""

        def __init__(self):
            self._line, self._is_set = Line(timeline), False

        def set(self):
            self._is_set = True
            watch.wake(self._line.number)

        def wait(self, seconds):
            self._line.sleep(seconds)
            if self._is_set:
                self._line.leave()
            return self._is_set

    lease_ownership.time = transfer.time = SimpleNamespace(sleep=line.sleep)
    lease_ownership.threading = SimpleNamespace(
        Event=Event, Thread=threading.Thread, Lock=threading.Lock
    )
    attempt.clock_seconds = watch.now
    lease_ownership.LeaseOwnership.take.__func__.__defaults__ = (watch.now,)
    session.container_started_at = lambda: None


class Bucket:
    """Counts each access to the bucket as a step; some accesses fail."""

    def __init__(self, steps, is_away, *, expired, tears):
        self._steps, self._is_away, self._tears = steps, is_away, tears
        self._expired = expired
        for name, touch in _TOUCH.items():
            setattr(transfer, name, self._touching(name, touch))

    def _touching(self, name, touch):
        def call(address, *arguments):
            number = self._steps.begin(f"{name} {address.url.rsplit('/', 1)[-1]}")
            if self._expired:
                raise TransferError("the store answered 403", expired=True)
            if self._is_away():
                if name == "put":
                    return Put.UNSURE
                raise TransferError("the store does not answer", unreachable=True)
            if name == "put" and self._tears and address.url.endswith("result.json"):
                arguments = (arguments[0][: len(arguments[0]) // 2],)
            answer = touch(address, *arguments)
            self._steps.end(number)
            return answer

        return call


class Transcriber:
    """Finds one word in each region, in virtual time."""

    batch_windows = 8

    def __init__(self, line, lives_seconds, fails, slow):
        self._line, self._lives_seconds, self._fails = line, lives_seconds, fails
        self._steps = slow
        self.heard_seconds = 0.0

    def transcribe(self, samples, regions, options, speech, progress):
        speech.plan = speech.plan or WindowPlan(language="en")
        for region in regions[speech.windows_done :]:
            for _ in range(self._steps):
                self._hear()
                progress(region.start_ms)
            word = Word(start_ms=region.start_ms, end_ms=region.end_ms, text="ah", probability=1)
            segment = Segment(start_ms=word.start_ms, end_ms=word.end_ms, words=(word,))
            speech.segments.append(segment)
            speech.windows_done += 1
            progress(region.end_ms)
        if self._fails:
            raise JobFailedError(self._fails, "it is torn", permanent=self._fails != "internal")

    def _hear(self):
        left = HEARS_SECONDS
        if self._lives_seconds is not None:
            left = min(left, self._lives_seconds - self.heard_seconds)
        self._line.sleep(left)
        self.heard_seconds += left
        if self.heard_seconds == self._lives_seconds:
            die()
