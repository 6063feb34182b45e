"""dbt's process, forked from one that has imported dbt: the import takes two CPU seconds.

It runs the same `main`, with the folder, environment and pipes that Escriba gives it. The start
with a new interpreter is tested in tests/resources/costs_database/test_building.py, and by every
test that starts `escriba` itself.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from resources.costs_database import dbt_project

_ROOT = Path(__file__).resolve().parents[1]
_LENGTH_BYTES = 4
_LONG_SECONDS = 60
_MODULE = "resources.costs_database.dbt_process"


@pytest.fixture(scope="session", autouse=True)
def _dbt_is_imported_once():
    """Of the builds in this process."""
    with Imported() as imported, pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt_project, "subprocess", imported.module())
        yield


class Imported:
    """The process that has imported dbt; started by the first build."""

    def __init__(self):
        self._process = self._line = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process:
            self._line.close()
            self._process.wait(_LONG_SECONDS)

    def module(self):
        """What Escriba uses of the module subprocess.

        Not made in the fixture: every test would be marked as one that starts processes
        (tests/markers.py).
        """
        words = {"PIPE": subprocess.PIPE, "STDOUT": subprocess.STDOUT}
        return SimpleNamespace(Popen=self.fork, **words)

    def fork(self, words, *, cwd, env, **_):
        """What subprocess.Popen does with these words."""
        assert words[:3] == [sys.executable, "-m", _MODULE]
        if not self._process:
            self._start()
        return Forked(self._line, {"arguments": words[3:], "cwd": str(cwd), "env": env})

    def _start(self):
        self._line, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "tests.forked_dbt", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=_ROOT)


class Forked:
    """A build's process, as far as Escriba uses it."""

    def __init__(self, line, life):
        taken, self._stdin = os.pipe()
        told, output = os.pipe()
        status, ended = os.pipe()
        self.stdout, self._status = os.fdopen(told, encoding="utf-8"), os.fdopen(status, "rb")
        message = json.dumps(life).encode()
        ends = [taken, output, ended]
        socket.send_fds(line, [len(message).to_bytes(_LENGTH_BYTES)], ends)
        line.sendall(message)
        for end in ends:
            os.close(end)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._stdin)
        self.stdout.close()
        self._status.close()

    def wait(self):
        """Its exit status."""
        code = self._status.read()
        return code[0] if code else -signal.SIGKILL


def serve(line):
    """Fork a child for each message, until the other side is gone."""
    import dbt.adapters.duckdb  # noqa: PLC0415  # its parent does not need them
    import dbt.cli.main  # noqa: F401, PLC0415

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        length, ends, _, _ = socket.recv_fds(line, _LENGTH_BYTES, 3)
        if not length:
            return
        message = line.recv(int.from_bytes(length), socket.MSG_WAITALL)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            line.close()
            _live(ends, **json.loads(message))
        for end in ends:
            os.close(end)


def _live(ends, *, arguments, cwd, env):
    """Be dbt's process; never returns."""
    code, (taken, output, ended) = 1, ends
    try:
        for number, end in enumerate((taken, output, output)):
            os.dup2(end, number)
        for end in (taken, output):
            os.close(end)
        os.environ.clear()
        os.environ.update(env)
        os.chdir(cwd)
        from resources.costs_database.dbt_process import main  # noqa: PLC0415

        code = main(arguments)
    except BaseException:  # noqa: BLE001  # whoever reads its output hears of it
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(ended, bytes([code]))
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
