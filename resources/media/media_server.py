"""The orchestrator's end of the fork server: one for each process, started when first needed."""

import atexit
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from .child_handle import ChildHandle
from .media_limits import MediaLimits
from .media_messages import READY, SPAWN, MediaProcessError, request_for

_START_SECONDS: Final = 120.0  # on a busy machine; on an idle one it takes one
_ANSWER_SECONDS: Final = 60.0
_END_SECONDS: Final = 5.0
_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH")


class MediaServer:
    """A running fork server; threads share it."""

    def __init__(self, *, can_fork: bool = sys.platform == "linux") -> None:
        """Starts it, and waits until it is ready.

        Raises:
            MediaProcessError: It did not start.
        """
        self._requests, theirs = socket.socketpair()
        self._lock = threading.Lock()
        command = [sys.executable, "-m", "resources.media.fork_server", str(theirs.fileno())]
        self._process = subprocess.Popen(  # noqa: S603  # our own module
            command if can_fork else [*command, SPAWN],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=_environment(),
            cwd="/",
        )
        theirs.close()
        self._requests.settimeout(_START_SECONDS)
        if self._answer() != READY:
            raise self._gone()
        self._requests.settimeout(_ANSWER_SECONDS)

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can start processes."""
        return self._process.poll() is None

    def start_child(self, folder: Path, limits: MediaLimits) -> ChildHandle:
        """A new process that may use the files of that folder alone.

        Raises:
            MediaProcessError: The server is gone, or the system starts no more processes.
        """
        channel, their_channel = socket.socketpair()
        control, their_control = socket.socketpair()
        request = request_for(folder, limits)
        with self._lock, their_channel, their_control:
            descriptors = [their_channel.fileno(), their_control.fileno()]
            try:
                socket.send_fds(self._requests, [request], descriptors)
            except OSError as error:
                raise self._gone() from error
            pid = self._started()
        return ChildHandle(channel, control, folder, pid)

    def close(self) -> None:
        """Ends it and all its processes."""
        self._requests.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
            return
        self._process.kill()
        self._process.wait()

    def _started(self) -> int:
        """The number of the process that was asked for."""
        answer = self._answer()
        if not answer.startswith(b"+"):
            raise self._gone()
        return int(answer[1:])

    def _answer(self) -> bytes:
        try:
            return self._requests.recv(64)
        except OSError as error:
            self._process.kill()  # a late answer would be taken for the next one
            raise self._gone() from error

    def _gone(self) -> MediaProcessError:
        status = self._process.poll()
        return MediaProcessError(
            "no process could be started to read a recording (the server "
            f"{'does not answer' if status is None else f'ended with status {status}'}); check "
            "the machine's free memory and its limit of processes"
        )


class _Shared:
    """The server of this process; a fork of this process gets one of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: MediaServer | None = None
        self._owner = 0

    def server(self) -> MediaServer:
        with self._lock:
            if self._server is None or self._owner != os.getpid() or not self._server.is_alive:
                self._server, self._owner = MediaServer(), os.getpid()
                atexit.register(self._close, self._server)
            return self._server

    def _close(self, server: MediaServer) -> None:
        if self._owner == os.getpid():
            server.close()


_SHARED: Final = _Shared()


def shared_server() -> MediaServer:
    """The running server of this process, started if there is none.

    Raises:
        MediaProcessError: It does not start.
    """
    return _SHARED.server()


def _environment() -> dict[str, str]:
    """Nothing that a stranger's file could be after; one thread, so that forking is safe."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    path = os.pathsep.join(os.path.abspath(each) for each in sys.path)  # noqa: PTH100  # may be ""
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return kept | one | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
