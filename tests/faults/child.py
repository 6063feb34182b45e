"""A worker of this machine: the real loop that reads its parent's requests, in virtual time.

Its models take virtual time (local), or its real client asks an API on loopback and each answer
takes virtual time (openai, pyannote_ai). How each job goes wrong is asked of the world.
"""

import os
import random
import sys
import time
from datetime import datetime
from multiprocessing.connection import Client
from types import SimpleNamespace
from typing import NamedTuple

import gpu_job.apis.api_transcriber  # here, and not in each fork
import gpu_job.apis.pyannote_ai
import gpu_job.worker
from gpu_job import attempt
from gpu_job.common.settings import WorkerSettings
from gpu_job.job import run_job
from gpu_job.models import Models, load_models
from gpu_job.parent_pipe import ParentPipe
from gpu_job.session import WorkerSession

from .recording import HEARS_SECONDS
from .steps import Steps, die
from .timeline import Line
from .wall import live_by
from .worker import Bucket, Transcriber, live_on

NOT_HERE = ("waits", "times", "lost", "untold", "elsewhere", "skew_seconds")  # of a life elsewhere


class Pipes(NamedTuple):
    """One end of each pipe between the two; taken: a byte for each request that it has taken."""

    requests: int
    events: int
    complaints: int
    taken: int


def live(pipes, environment, context):
    """Be that worker; never returns. context: its orchestrator's ChildWorkers."""
    try:
        _keep(pipes)
        worker = _Worker(context, environment)
        os._exit(worker.serve())
    except BaseException:  # noqa: BLE001  # its parent reads it
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(1)


_TAKEN = 3  # its descriptor here
_FAR, _MOST = 200, 1024  # descriptors that nobody has


def _keep(pipes):
    """Standard input, output and errors, and the pipe of what it has taken; nothing else."""
    kept = [os.dup2(end, _FAR + n) for n, end in enumerate(pipes)]
    for number, end in enumerate(kept):
        os.dup2(end, number)
    os.closerange(_TAKEN + 1, _MOST)


class _RejoiningLine:
    """A line that leaves the clock alone while the worker waits for its parent."""

    def __init__(self, context):
        self._context = context
        self.join()

    def join(self):
        self._line = Line(self._context.timeline, tells=self._context.parent)

    def leave(self):
        self._line.leave()

    def sleep(self, seconds):
        return self._line.sleep(seconds)


class _Lines:
    """The parent's lines; the clock does not wait for who waits for them."""

    def __init__(self, lines, line):
        self._lines, self._line = lines, line
        self.put = lines.put

    def get(self):
        self._line.leave()
        found = self._lines.get()
        self._line.join()
        if found is not None:
            os.write(_TAKEN, b".")
        return found


class _Worker:
    """Its environment and its clock."""

    def __init__(self, context, environment):
        self._place = context.place
        self._line, self._watch = _RejoiningLine(context), Line(context.timeline, joins=False)
        os.write(_TAKEN, b"j")
        live_by(self._watch.now, datetime.fromisoformat(context.began))
        live_on(context.timeline, self._line, self._watch)
        attempt.time = SimpleNamespace(sleep=self._line.sleep, perf_counter=time.perf_counter)
        self._settings = WorkerSettings.from_environment(environment)

    def serve(self):
        line = self._line

        class Parent(ParentPipe):
            def __init__(self, source):
                super().__init__(source)
                self.lines = _Lines(self.lines, line)

        gpu_job.worker.ParentPipe = Parent
        gpu_job.worker.load_models = self._models
        gpu_job.worker.run_job = self._job
        return gpu_job.worker.serve(self._settings)

    def _models(self, settings):
        if settings.engine == "whisper":
            return Models(None, session=WorkerSession("pod"))
        return load_models(settings)

    def _job(self, request, models, report, stop, preparing):
        """Do one job as the world says, and report its end there."""
        with Client(self._place, "AF_UNIX") as world:
            world.send((f"{request.job}/{request.attempt}", os.getpid()))
            life = {name: value for name, value in world.recv().items() if name not in NOT_HERE}
            steps = Steps(life.pop("dies_at", 0), life.pop("after", False))
            cut_off = [self._watch.now() + seconds for seconds in life.pop("cut_off", (0, 0))]
            Bucket(
                steps,
                lambda: cut_off[0] <= self._watch.now() < cut_off[1],
                expired=life.pop("expired", False),
                tears=life.pop("tears", False),
            )
            hears = self._hears(models, steps, **life)
            outcome = run_job(request, models, report, stop, preparing)
            world.send({"state": outcome.state, "heard_seconds": hears.heard_seconds})
        return outcome

    def _hears(self, models, steps, lives_seconds=None, fails="", slow=1):
        if models.speaker_service is not None:
            client = models.speaker_service.client
            hears = Answers(self._line, steps, lives_seconds, client.__class__._sent, client)
        elif models.is_api:
            client = models.transcriber._client
            hears = Answers(self._line, steps, lives_seconds, client.__class__._sent, client)
        else:
            models.transcriber = hears = Transcriber(self._line, lives_seconds, fails, slow)
        return hears


class Answers:
    """An API's client whose requests are steps, and whose answers and waits take virtual time."""

    def __init__(self, line, steps, lives_seconds, send, client):
        self._line, self._steps, self._lives_seconds = line, steps, lives_seconds
        self._send, self._client, self.heard_seconds = send, client, 0.0
        client._sent, client.sleep, client.dice = self._sent, self._hear, random.Random(1).random

    def _sent(self, *arguments):
        """Half of the time passes before the API has it, and half until its answer is here."""
        number = self._steps.begin(f"ask {arguments[0]}")
        half = HEARS_SECONDS / 2 if arguments[0] != "GET" else 0.5
        self._hear(half)
        answer = self._send(self._client, *arguments)
        self._hear(half)
        self._steps.end(number)
        return answer

    def _hear(self, seconds):
        left = seconds
        if self._lives_seconds is not None:
            left = min(left, self._lives_seconds - self.heard_seconds)
        self._line.sleep(left)
        self.heard_seconds += left
        if self.heard_seconds == self._lives_seconds:
            die()
