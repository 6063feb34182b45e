"""One child process `python -m gpu_job --serve`, and what it says."""

import asyncio
import contextlib
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from gpu_job.contract import JobRequest, Place
from gpu_job.place import place_of
from resources.failures import BackendUnavailableError

from .base import Progress

_READY_SECONDS = 600.0  # a large model may come from the hub at first
_FAREWELL_SECONDS = 1.0
_LINE_BYTES = 1 << 20


@dataclass
class LocalJob:
    """An attempt in the worker's hands."""

    job: str
    attempt: int
    progress: Progress
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class LocalWorker:
    """A worker that has loaded its models. Made by `start`; takes one job at a time."""

    def __init__(self, process: asyncio.subprocess.Process, model: str = "") -> None:
        self._process = process
        self.model = model
        self._current: LocalJob | None = None
        self._retired = False
        self._complaints: deque[str] = deque(maxlen=20)
        self.place: Place = place_of(process.pid)
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def start(cls, python: str, environment: dict[str, str]) -> "LocalWorker":
        """A worker of that Python that is ready.

        Raises:
            BackendUnavailableError: its models do not load, or it died.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                python,
                *("-m", "gpu_job", "--serve"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                limit=_LINE_BYTES,
            )
        except OSError as error:
            raise BackendUnavailableError(
                f"LOCAL_WORKER_PYTHON={python} cannot be started ({error.strerror}): "
                "`make setup-worker` makes .venv-worker/bin/python."
            ) from error
        worker = cls(process, environment.get("MODEL", ""))
        try:
            await asyncio.wait_for(worker._become_ready(), _READY_SECONDS)
        except TimeoutError as error:
            await worker.kill()
            raise BackendUnavailableError(
                f"The local worker was not ready after {_READY_SECONDS / 60:.0f} minutes. A model "
                "that comes from the hub goes on where it is at the next start: run again."
            ) from error
        except BaseException:
            await worker.kill()
            raise
        worker._tasks.append(asyncio.create_task(worker._listen()))
        return worker

    @property
    def is_alive(self) -> bool:
        """Whether it can take another job."""
        return self._process.returncode is None and not self._retired

    @property
    def is_busy(self) -> bool:
        """Whether it has a job that it did not end yet."""
        return self._current is not None and not self._current.ended.is_set()

    async def give(self, request: JobRequest, job: LocalJob) -> None:
        """Hand the request over; `job.ended` tells when the worker is done with it, or dead."""
        self._current = job
        try:
            self._stdin.write(request.model_dump_json().encode() + b"\n")
            await self._stdin.drain()
        except ConnectionError:
            job.ended.set()

    async def end(self) -> None:
        """Farewell, then SIGKILL for what does not listen."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            self._stdin.write(b"end\n")
            await self._stdin.drain()
            if not self.is_busy:
                await asyncio.wait_for(self._process.wait(), _FAREWELL_SECONDS)
        await self.kill()

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        for task in self._tasks:
            task.cancel()
        if self._current is not None:
            self._current.ended.set()

    async def _become_ready(self) -> None:
        self._tasks.append(asyncio.create_task(self._gather_complaints()))
        event = await self._next_event()
        if event is None or event["event"] != "ready":
            said = event["message"] if event else await self._epitaph()
            raise BackendUnavailableError(f"The local worker could not start: {said}")

    async def _epitaph(self) -> str:
        """What is known of a worker that died without a word."""
        status = await self._process.wait()
        how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
        return f"{how}. {' '.join(list(self._complaints)[-3:])}".strip()

    async def _listen(self) -> None:
        while (event := await self._next_event()) is not None:
            job = self._current
            if job is None or (event.get("job"), event.get("attempt")) != (job.job, job.attempt):
                continue
            if event["event"] == "progress":
                job.progress(event["done_ms"])
            elif event["event"] == "ended":
                self._retired = bool(event.get("retire"))  # it ends by itself
                job.ended.set()
        await self._process.wait()
        if self._current is not None:
            self._current.ended.set()

    async def _next_event(self) -> dict[str, Any] | None:
        if self._process.stdout is None:
            return None
        line = await self._process.stdout.readline()
        return json.loads(line) if line else None

    async def _gather_complaints(self) -> None:
        while self._process.stderr and (line := await self._process.stderr.readline()):
            self._complaints.append(line.decode(errors="replace").strip())

    @property
    def _stdin(self) -> asyncio.StreamWriter:
        if self._process.stdin is None:
            raise BackendUnavailableError("The local worker has no input.")
        return self._process.stdin
