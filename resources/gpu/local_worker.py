"""One child process `python -m gpu_job --serve`, and its events."""

import asyncio
import contextlib
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from escriba.errors import BackendUnavailableError
from gpu_job.contract import JobRequest, WorkerPlace
from gpu_job.contract.process_identity import place_of

from .backend import Progress

_READY_SECONDS = 600.0  # the first start may download a large model
_STOP_SECONDS = 1.0
_LINE_BYTES = 1 << 20


@dataclass
class LocalJob:
    """An attempt that the worker runs. code, error: of its failure, once it has ended."""

    job: str
    attempt: int
    progress: Progress
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    code: str = ""
    error: str = ""


class LocalWorker:
    """A worker that has loaded its models, made by `start`; runs one job at a time."""

    def __init__(self, process: asyncio.subprocess.Process, model: str = "") -> None:
        self._process = process
        self.model = model
        self._current: LocalJob | None = None
        self._retired = False
        self._complaints: deque[str] = deque(maxlen=20)
        self.place: WorkerPlace = place_of(process.pid)
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def start(cls, python: str, environment: dict[str, str]) -> "LocalWorker":
        """Start a worker with that Python, and wait until it is ready.

        Raises:
            BackendUnavailableError: its models do not load, or it died.
        """
        worker = cls(await _start_process(python, environment), environment.get("MODEL", ""))
        try:
            await asyncio.wait_for(worker._become_ready(), _READY_SECONDS)
        except TimeoutError as error:
            await worker.kill()
            raise BackendUnavailableError(
                f"The local worker was not ready after {_READY_SECONDS / 60:.0f} minutes. Run "
                "again: an unfinished download from the hub resumes."
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
        """Whether it has a job that has not ended."""
        return self._current is not None and not self._current.ended.is_set()

    async def give(self, request: JobRequest, job: LocalJob) -> None:
        """Send the request; `job.ended` is set when the worker has ended the job or died."""
        self._current = job
        try:
            self._stdin.write(request.model_dump_json().encode() + b"\n")
            await self._stdin.drain()
        except ConnectionError:
            job.ended.set()

    async def end(self) -> None:
        """Ask it to end, then send SIGKILL."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            self._stdin.write(b"end\n")
            await self._stdin.drain()
            if not self.is_busy:
                await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        await self.kill()

    async def kill(self) -> None:
        """Send SIGKILL, and wait until the process has ended."""
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
            cause = event["message"] if event else await self._exit_cause()
            raise BackendUnavailableError(f"The local worker could not start: {cause}")

    async def _exit_cause(self) -> str:
        """The exit status and the last errors of a worker that died without an event."""
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
                self._retired = bool(event.get("retire"))  # it exits by itself
                why = event.get("error") or {}
                job.code, job.error = why.get("code", ""), why.get("message", "")
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
            raise BackendUnavailableError("The local worker has no standard input. Run again.")
        return self._process.stdin


async def _start_process(python: str, environment: dict[str, str]) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
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
            f"LOCAL_WORKER_PYTHON={python} cannot be started ({error.strerror}). "
            "`make setup-worker` creates .venv-worker/bin/python."
        ) from error
