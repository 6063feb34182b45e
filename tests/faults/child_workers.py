"""Workers of this machine, as children of an orchestrator: forked, so that a start is cheap.

Everything between the two is real: the pipes, the events, the requests, and that a worker ends when
its parent does. A request on its way holds the clock until the worker has taken it.
"""

import asyncio
import os
import signal
from dataclasses import dataclass

import resources.gpu.local_worker
from resources.gpu.api_workers import worker_environment
from resources.gpu.backends import local

from .child import Pipes, live


@dataclass(frozen=True)
class ChildWorkers:
    """parent: the orchestrator's line on the timeline. place: where a worker reports its jobs."""

    timeline: str
    parent: int
    began: str
    place: str

    def use(self):
        """Replace the start of a worker in this process, and the models that none of them loads."""
        resources.gpu.local_worker._start_process = self._start
        local.unpack_demo_models = worker_environment.unpack_demo_models = lambda folder: folder

    async def _start(self, _python, environment):
        ours, theirs = _pipes()
        pid = os.fork()
        if pid == 0:
            live(theirs, environment, self)
        for end in theirs:
            os.close(end)
        os.read(ours.taken, 1)  # it is on the timeline
        os.set_blocking(ours.taken, False)
        process = ForkedProcess(pid, ours)
        await process.open()
        return process


def _pipes():
    pairs = [os.pipe() for _ in range(4)]
    (asks, requests), *answers = pairs
    ours = Pipes(requests, *(end for end, _ in answers))
    return ours, Pipes(asks, *(end for _, end in answers))


class ForkedProcess:
    """What a LocalWorker needs of an asyncio.subprocess.Process."""

    def __init__(self, pid, pipes):
        self._loop = asyncio.get_running_loop()
        self.pid, self.returncode, self._pipes = pid, None, pipes
        self._ended, self._untaken, self._is_dying = self._loop.create_future(), 0, False
        self._handle = os.pidfd_open(pid)
        self._loop.add_reader(self._handle, self._reap)
        self._loop.add_reader(pipes.taken, self._taken)

    async def open(self):
        self.stdin = _Requests(await self._writer(self._pipes.requests), self._sent)
        self.stdout = await self._reader(self._pipes.events)
        self.stderr = await self._reader(self._pipes.complaints)

    async def wait(self):
        return await asyncio.shield(self._ended)

    def kill(self):
        if self.returncode is None and not self._is_dying:
            self._is_dying = True
            self._loop.on_their_way += 1
            os.kill(self.pid, signal.SIGKILL)

    def _sent(self):
        self._untaken += 1
        self._loop.on_their_way += 1

    def _taken(self):
        try:
            count = len(os.read(self._pipes.taken, 100))
        except BlockingIOError:  # the loop looks twice, and says so twice
            return
        if not count:  # it is gone
            self._loop.remove_reader(self._pipes.taken)
            os.close(self._pipes.taken)
            count = self._untaken
        self._untaken -= count
        self._loop.on_their_way -= count

    def _reap(self):
        if self.returncode is not None:
            return
        self._loop.remove_reader(self._handle)
        os.close(self._handle)
        _, status = os.waitpid(self.pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)
        self._loop.on_their_way -= self._is_dying
        self._ended.set_result(self.returncode)

    async def _reader(self, end):
        stream = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(stream)
        await self._loop.connect_read_pipe(lambda: protocol, os.fdopen(end, "rb", 0))
        return stream

    async def _writer(self, end):
        made = asyncio.streams.FlowControlMixin
        transport, protocol = await self._loop.connect_write_pipe(made, os.fdopen(end, "wb", 0))
        return asyncio.StreamWriter(transport, protocol, None, self._loop)


class _Requests:
    """The worker's standard input. sent: called with each request."""

    def __init__(self, writer, sent):
        self._writer, self._sent = writer, sent

    def write(self, line):
        if line.strip() != b"end":
            self._sent()
        self._writer.write(line)

    async def drain(self):
        await self._writer.drain()
