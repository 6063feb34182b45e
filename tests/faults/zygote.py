"""A process that has imported everything and forks children, so that a start takes milliseconds.

Reads one line of JSON per child: its role, and how it behaves. A child reports its outcome over its
own socket; one that disconnects without a report was killed.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from multiprocessing.connection import Client, Listener
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_LONG_SECONDS = 60


class Zygote:
    """A context manager."""

    def __init__(self, folder):
        self._listener = Listener(str(folder / "zygote"), "AF_UNIX", 64)
        self._process, self._one_at_a_time = None, threading.Lock()

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote", str(self._listener.address)],
            stdin=subprocess.PIPE,
            cwd=_ROOT,
            text=True,
        )
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(_LONG_SECONDS)
        self._listener.close()

    def fork(self, kind, **life):
        """Fork a child that has joined the timeline."""
        with self._one_at_a_time:
            self._process.stdin.write(json.dumps({"kind": kind, **life}) + "\n")
            self._process.stdin.flush()
            return Child(self._listener.accept())


class Child:
    """An orchestrator or a worker."""

    def __init__(self, line):
        self._line = line
        self.pid = line.recv()

    def outcome(self):
        """Its final report; None if it was killed."""
        assert self._line.poll(_LONG_SECONDS), f"process {self.pid} never ends"
        try:
            return self._line.recv()
        except (EOFError, ConnectionError):
            return None

    def signal(self, number):
        os.kill(self.pid, number)


def main(address):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    from tests.faults import orchestrator, worker  # noqa: PLC0415  # its parent does not need them

    kinds = {"orchestrator": orchestrator.live, "worker": worker.live}
    for line in sys.stdin:
        life = json.loads(line)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _live(kinds[life.pop("kind")], address, life)


def _live(live, address, life):
    """End the process in any case, without running the zygote's cleanup."""
    try:
        with Client(address, "AF_UNIX") as parent:
            live(parent, **life)
    except BaseException:  # noqa: BLE001  # a test that waits for it hears nothing, and says so
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
