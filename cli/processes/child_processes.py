"""Child processes that start and stop together."""

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from escriba.settings import child_environment

from . import process_reaper

_POLL_SECONDS = 0.2
_LAST_LINES = 20
_COLOR = re.compile(r"\x1b\[[0-9;]*m")


class ChildProcesses:
    """Named child processes. Created by `child_processes`."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment, self._logs = dict(environment), logs
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._reaper = subprocess.Popen(  # noqa: S603  # a file of this package
            [sys.executable, "-I", process_reaper.__file__],
            stdin=subprocess.PIPE,
            env=child_environment("program"),
            start_new_session=True,  # Ctrl-C must not reach it
        )

    def start(self, name: str, command: Sequence[str], **more: str) -> None:
        """Start a process that ends with this one, even if this one is killed.

        more: environment variables of this process alone.
        """
        with self.log(name).open("wb") as output:
            child = self._children[name] = self._popen(command, output, more)
        if self._reaper.stdin is not None:
            self._reaper.stdin.write(f"{child.pid}\n".encode())
            self._reaper.stdin.flush()

    def _popen(
        self, command: Sequence[str], output: BinaryIO, more: Mapping[str, str]
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603  # commands from this package
            command,
            env={**self._environment, **more},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches only this process, which stops them in order
            preexec_fn=_restore_interrupt,  # noqa: PLW1509  # no threads here
        )

    def log(self, name: str) -> Path:
        """Return the file with the process's output, kept until the next start."""
        self._logs.mkdir(parents=True, exist_ok=True)
        return self._logs / f"{name.replace(' ', '-').lower()}.log"

    def last_output(self, name: str) -> str:
        """Return the last lines of the process's output, without Dagster's colors."""
        lines = self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()
        return _COLOR.sub("", "\n".join(lines[-_LAST_LINES:]))

    def exited(self) -> str | None:
        """Return the name of a process that has exited by itself, if any."""
        names = (name for name, child in self._children.items() if child.poll() is not None)
        return next(names, None)

    def wait(self) -> str:
        """Wait until a process exits by itself; return its name."""
        while (name := self.exited()) is None:
            time.sleep(_POLL_SECONDS)
        return name

    def stop(self) -> None:
        """Send SIGTERM to each process group, the newest first; later SIGKILL."""
        for child in reversed(self._children.values()):
            process_reaper.signal_group(child.pid, signal.SIGTERM)
        until = time.monotonic() + process_reaper.GRACE_SECONDS
        for child in self._children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, until - time.monotonic()))
            process_reaper.signal_group(child.pid, signal.SIGKILL)
        self._reaper.communicate()


@contextmanager
def child_processes(environment: Mapping[str, str], logs: Path) -> Iterator[ChildProcesses]:
    """Yield child processes that stop at the end of the block, on Ctrl-C and on SIGTERM."""
    children = ChildProcesses(environment, logs)
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield children
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the children need their grace period
        children.stop()
        signal.signal(signal.SIGTERM, previous)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _restore_interrupt() -> None:
    """Undo a shell's `&`, which ignores SIGINT; Dagster would then ignore SIGTERM too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
