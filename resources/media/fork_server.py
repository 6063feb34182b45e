"""A process that starts, by forking itself, those that read strangers' files.

`python -m resources.media.fork_server SOCKET` imports everything and reads a small file of its own
first, so that a forked process is ready at once and opens no file of a library. It has one thread,
reads no strangers' file, and ends with the orchestrator, whose socket then closes.

Where a process cannot be forked safely (macOS) each one is a new interpreter
(`media_process.py`), with the limits that the system has.
"""

import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import wave
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from escriba.audio.optimize import optimize
from escriba.audio.speech_detection import SpeechDetector

from .media_child import serve
from .media_limits import NOT_GUARDED
from .media_messages import READY, SPAWN, read_request

_REQUEST_BYTES: Final = 8192
_KILL, _NICE = b"k", b"n"
_LOWEST: Final = 19


class ForkServer:
    """Starts processes, ends them when told, and tells how each one ended."""

    def __init__(
        self, requests: socket.socket, start: Callable[[bytes, socket.socket], int]
    ) -> None:
        """`start` gives the process id for a request; the socket is the process's channel."""
        self._requests, self._start = requests, start
        self._children: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._wake, wakes = socket.socketpair()
        self._wake.settimeout(0)
        wakes.settimeout(0)
        self._wakes = wakes
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        self._selector.register(requests, selectors.EVENT_READ, self._on_request)
        self._selector.register(self._wake, selectors.EVENT_READ, self._on_child)

    def run(self) -> None:
        """Works until the orchestrator closes its socket, or dies."""
        while self._requests.fileno() >= 0:
            for key, _ in self._selector.select():
                key.data()
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)

    def _on_request(self) -> None:
        request, descriptors, _, _ = socket.recv_fds(self._requests, _REQUEST_BYTES, 2)
        if len(descriptors) != 2:  # noqa: PLR2004 - the channel, and the line about the process
            self._selector.unregister(self._requests)
            self._requests.close()
            return
        channel, control = (socket.socket(fileno=each) for each in descriptors)
        try:
            pid = self._start(request, channel)
        except OSError as error:
            self._requests.sendall(b"-" + str(error.errno).encode() + b"\n")
            control.close()
        else:
            self._children[pid] = control
            self._selector.register(control, selectors.EVENT_READ, lambda: self._on_order(pid))
            self._requests.sendall(b"+%d\n" % pid)
        channel.close()

    def _on_order(self, pid: int) -> None:
        """Kills the process when told, and when the other end is gone."""
        control = self._children.get(pid)
        if control is None:  # it ended in this very moment
            return
        order = control.recv(1)
        if order == _NICE:
            _to_the_end_of_the_queue(pid)
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self._selector.unregister(control)

    def _on_child(self) -> None:
        self._wake.recv(4096)
        with suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if not pid:
                    return
                self._ended(pid, status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)

    def _ended(self, pid: int, status: int, cpu_seconds: float, peak_kb: int) -> None:
        control = self._children.pop(pid, None)
        if control is None:
            return
        with suppress(KeyError):
            self._selector.unregister(control)
        told = {"status": status, "cpu_seconds": cpu_seconds, "peak_kb": peak_kb}
        with suppress(OSError):
            control.sendall(json.dumps(told).encode() + b"\n")
        control.close()


def _to_the_end_of_the_queue(pid: int) -> None:
    """All threads of the process wait for whoever else wants the CPU."""
    threads = Path(f"/proc/{pid}/task")
    numbers = [int(one.name) for one in threads.iterdir()] if threads.is_dir() else [pid]
    for number in numbers:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, number, _LOWEST)


def forked(request: bytes, channel: socket.socket, detector: SpeechDetector) -> int:
    """The id of a new process that serves the channel."""
    pid = os.fork()
    if pid:
        return pid
    status = NOT_GUARDED
    try:
        signal.set_wakeup_fd(-1)
        folder, limits = read_request(request)
        serve(_alone_with(channel), folder, limits, detector)
        status = 0
    except (BrokenPipeError, ConnectionResetError):
        status = 0  # the orchestrator is gone
    finally:
        os._exit(status)


def spawned(request: bytes, channel: socket.socket) -> int:
    """As `forked`, in a new interpreter."""
    command = [sys.executable, "-m", "resources.media.media_process", str(channel.fileno())]
    process = subprocess.Popen(  # noqa: S603  # our own module
        [*command, request.decode()],
        pass_fds=[channel.fileno()],
        stdin=subprocess.DEVNULL,
        env=dict(os.environ),  # of the server, which has an allowlist (`media_server.py`)
    )
    process.returncode = 0  # the server waits for it, this object need not
    return process.pid


def warm_up(detector: SpeechDetector) -> None:
    """Reads a second of silence, so that no process imports, or allocates tables, on its own."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "silence.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(44_100)
            file.writeframes(bytes(4 * 44_100))
        optimize(path, Path(name), detector=detector)


def _alone_with(channel: socket.socket) -> socket.socket:
    """The channel as descriptor 3, with nothing else open; outputs of the decoder go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(channel.fileno(), 3)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    channel.detach()
    others = {int(each.name) for each in Path("/proc/self/fd").iterdir()} - {0, 1, 2, 3}
    for number in others:
        with suppress(OSError):  # the one of the listing is closed already
            os.close(number)
    return socket.socket(fileno=3)


def main() -> None:
    """Serves the socket whose number is the first argument; `--spawn` forks nothing."""
    from resources.silero_vad import SileroDetector  # noqa: PLC0415

    for number in (signal.SIGINT, signal.SIGTERM):  # the orchestrator decides when work ends
        signal.signal(number, signal.SIG_IGN)
    requests = socket.socket(fileno=int(sys.argv[1]))
    if SPAWN in sys.argv:
        requests.sendall(READY)
        ForkServer(requests, spawned).run()
        return
    detector = SileroDetector()
    warm_up(detector)
    gc.collect()
    requests.sendall(READY)
    gc.freeze()  # a collection in a forked process would copy every page
    ForkServer(requests, lambda request, channel: forked(request, channel, detector)).run()


if __name__ == "__main__":
    main()
