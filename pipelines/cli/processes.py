"""Several processes that live and die together."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from . import undertaker

_POLL_SECONDS = 0.2
_LAST_LINES = 20


class Household:
    """Named child processes. Made by `household`."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment, self._logs = dict(environment), logs
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._undertaker = subprocess.Popen(  # noqa: S603  # our own
            [sys.executable, "-I", undertaker.__file__],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is not for it
        )

    def start(self, name: str, command: Sequence[str]) -> None:
        """One more; it ends with this process, whichever way that ends."""
        with self.log(name).open("wb") as said:
            child = self._children[name] = self._popen(command, said)
        if self._undertaker.stdin is not None:
            self._undertaker.stdin.write(f"{child.pid}\n".encode())
            self._undertaker.stdin.flush()

    def _popen(self, command: Sequence[str], said: BinaryIO) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603  # commands of our own
            command,
            env=self._environment,
            stdout=said,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C comes to us, and we tell them in order
            preexec_fn=_listen,  # noqa: PLW1509  # no threads here
        )

    def log(self, name: str) -> Path:
        """Where all that it says is kept until the next start."""
        self._logs.mkdir(parents=True, exist_ok=True)
        return self._logs / f"{name.replace(' ', '-').lower()}.log"

    def last_words(self, name: str) -> str:
        """The end of what it said."""
        lines = self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:])

    def ended(self) -> str | None:
        """The name of one that has ended by itself."""
        gone = (name for name, child in self._children.items() if child.poll() is not None)
        return next(gone, None)

    def wait(self) -> str:
        """Until one of them ends by itself; its name."""
        while (name := self.ended()) is None:
            time.sleep(_POLL_SECONDS)
        return name

    def end(self) -> None:
        """SIGTERM to each and all that it started, the youngest first; then SIGKILL."""
        for child in reversed(self._children.values()):
            undertaker.tell(child.pid, signal.SIGTERM)
        until = time.monotonic() + undertaker.FAREWELL_SECONDS
        for child in self._children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, until - time.monotonic()))
            undertaker.tell(child.pid, signal.SIGKILL)
        self._undertaker.communicate()


@contextmanager
def household(environment: Mapping[str, str], logs: Path) -> Iterator[Household]:
    """Children that all end with the block, on Ctrl-C and on SIGTERM."""
    children = Household(environment, logs)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield children
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # nothing cuts the farewell short
        children.end()
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _listen() -> None:
    """Behind a shell's `&` an interrupt is ignored, and Dagster would ignore SIGTERM with it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
