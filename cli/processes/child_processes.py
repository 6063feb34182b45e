"""Child processes that start and stop together."""

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from escriba.settings import child_environment

from . import process_reaper

_POLL_SECONDS = 0.2
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 30.0, 3_600.0
_LAST_LINES = 20
_COLOR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class _Beside:
    """How to start a process that is not needed, and when again; None: it has not exited."""

    command: Sequence[str]
    more: Mapping[str, str]
    next_at: float | None = None
    pause_seconds: float = _FIRST_PAUSE_SECONDS


class ChildProcesses:
    """Named child processes. Created by `child_processes`."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment, self._logs = dict(environment), logs
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._beside: dict[str, _Beside] = {}
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
        self._start(name, command, more, "wb")

    def start_beside(self, name: str, command: Sequence[str], **more: str) -> None:
        """Start one that the others do not need: if it exits, `wait` starts it again later.

        more: as of `start`.
        """
        self._beside[name] = _Beside(command, more)
        self.start(name, command, **more)

    def _start(
        self, name: str, command: Sequence[str], more: Mapping[str, str], mode: Literal["wb", "ab"]
    ) -> None:
        with self.log(name).open(mode) as output:
            child = self._children[name] = self._popen(command, output, more)
        self._tell_reaper(child.pid)

    def _tell_reaper(self, number: int) -> None:
        if self._reaper.stdin is not None:
            self._reaper.stdin.write(f"{number}\n".encode())
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
        """Return the file with the process's output, kept until the next `start`."""
        self._logs.mkdir(parents=True, exist_ok=True)
        return self._logs / f"{name.replace(' ', '-').lower()}.log"

    def last_output(self, name: str) -> str:
        """Return the last lines of the process's output, without Dagster's colors."""
        lines = self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()
        return _COLOR.sub("", "\n".join(lines[-_LAST_LINES:]))

    def exited(self) -> str | None:
        """Return the name of a process that has exited by itself and is needed, if any."""
        return next((name for name in self._ended() if name not in self._beside), None)

    def _ended(self) -> list[str]:
        return [name for name, child in self._children.items() if child.poll() is not None]

    def wait(self, on_exit: Callable[[str], None] = lambda _: None) -> str:
        """Wait until a process that is needed exits by itself; return its name.

        on_exit: called with the name of each other one that exits.
        """
        while (name := self.exited()) is None:
            for other in self._ended():
                self._start_again(other, on_exit)
            time.sleep(_POLL_SECONDS)
        return name

    def _start_again(self, name: str, on_exit: Callable[[str], None]) -> None:
        """Once its pause is over; each is twice as long as the last."""
        one, now = self._beside[name], time.monotonic()
        if one.next_at is None:
            one.next_at = now + one.pause_seconds
            one.pause_seconds = min(2 * one.pause_seconds, _LONGEST_PAUSE_SECONDS)
            self._tell_reaper(-self._children[name].pid)  # the number may be another's soon
            on_exit(name)
        elif now >= one.next_at:
            one.next_at = None
            self._start(name, one.command, one.more, "ab")

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
