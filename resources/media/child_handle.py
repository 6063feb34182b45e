"""The orchestrator's end of one process that reads strangers' files."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from escriba.audio.audio_errors import AudioRefused, DecodeStopped
from escriba.audio.audio_probe import AudioProbe
from escriba.audio.limit_errors import AnsweredTooMuch
from escriba.audio.optimized_audio import OptimizedAudio

from .burden import Burden
from .media_limits import ANSWER_BYTES, MOST_MS, NOT_GUARDED, MediaLimits
from .media_messages import (
    RESULTS,
    TASK,
    Failed,
    MediaBugError,
    MediaProcessError,
    MediaTask,
    Refused,
    read_result,
    refusal_of,
)
from .memory_pressure import has_killed, kill_counts

_LOOK_SECONDS: Final = 0.1  # between two looks at the clock
_STATUS_SECONDS: Final = 10.0
_READ_BYTES: Final = 65_536


class ChildGoneError(Exception):
    """The process was dead before it got the task."""


class Ended(NamedTuple):
    """How a process ended: its wait status, CPU time, and peak of resident memory."""

    status: int
    cpu_seconds: float
    peak_kb: int


@dataclass(frozen=True)
class Watch:
    """What the caller wants to know, and to say, while a file is read.

    Attributes:
        stop: True ends the process (DecodeStopped).
        progress: Called with the ms of audio done; what it raises ends the process.
        slow: Called once if the file turns out slow; what it raises ends the process.
    """

    stop: Callable[[], bool] = lambda: False
    progress: Callable[[int], None] = lambda _: None
    slow: Callable[[], None] = lambda: None


class _Lines:
    """Takes messages apart, and no more of them than any recording needs."""

    def __init__(self) -> None:
        self._rest, self._total = bytearray(), 0

    def whole(self, data: bytes | None) -> Iterator[tuple[str, bytes]]:
        """The word and the JSON of each message that is complete with these bytes."""
        self._total += len(data or b"")
        if self._total > ANSWER_BYTES:
            raise AnsweredTooMuch(f"reading the file gave more than {ANSWER_BYTES} bytes")
        self._rest += data or b""
        while (end := self._rest.find(b"\n")) >= 0:
            word, _, body = bytes(self._rest[:end]).partition(b" ")
            del self._rest[: end + 1]
            yield word.decode(errors="replace"), body


class ChildHandle:
    """One process; used by one thread at a time.

    Attributes:
        folder: The folder whose files it may use.
        files_read: Number of files that it has read.
        is_slow: It has the lowest priority, because of a slow file.
        pid: Its number; the server alone may send it signals, since it knows when it ends.
        guards: What this system keeps it from (`child_guards.py`), once it has read a file.
        ended: How it ended, once `kill` or a failed `run` has returned.
    """

    def __init__(
        self, channel: socket.socket, control: socket.socket, folder: Path, pid: int
    ) -> None:
        self.folder, self.files_read, self.pid = folder, 0, pid
        self.guards, self.is_slow = "", False
        self.ended: Ended | None = None
        self._channel, self._control = channel, control
        self._channel.settimeout(_LOOK_SECONDS)
        self._control.settimeout(_STATUS_SECONDS)
        self._done_ms, self._kills_before = 0, kill_counts()

    def run(
        self, task: MediaTask, descriptor: int, limits: MediaLimits, watch: Watch
    ) -> AudioProbe | OptimizedAudio:
        """Gives the process a file and waits for the result.

        Raises:
            AudioRefused: The file is refused; also for each limit. The process is not used again.
            DecodeStopped: `watch.stop()` became true.
            OSError: The file cannot be read, or the folder cannot be written.
            ChildGoneError: The process was dead already.
            MediaProcessError: The server of the processes ended.
            MediaBugError: Our own code failed in the process.
        """
        self.files_read += 1
        self._done_ms, self._kills_before = 0, kill_counts()
        try:
            socket.send_fds(self._channel, [TASK.dump_json(task)], [descriptor])
        except OSError as error:
            raise ChildGoneError from error
        try:
            return self._result(limits, watch)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> Ended | None:
        """Ends the process now; None if it could not be learned how it ended."""
        with suppress(OSError):
            self._control.send(b"k")
        return self._close()

    def _close(self) -> Ended | None:
        self._channel.close()
        if self.ended is None and self._control.fileno() >= 0:
            with suppress(OSError, ValueError, TypeError):
                self.ended = Ended(**json.loads(self._control.recv(_READ_BYTES)))
            self._control.close()
        return self.ended

    def _result(self, limits: MediaLimits, watch: Watch) -> AudioProbe | OptimizedAudio:
        for word, body in self._lines(limits, watch):
            if word == "progress":
                in_pass, self._done_ms = _read_progress(body)
                watch.progress(in_pass)
            elif word == "guarded":
                self.guards = body.decode(errors="replace")
            elif word in RESULTS:
                return self._answered(read_result(word, body), limits)
        raise self._died(limits)

    def _answered(
        self, result: AudioProbe | OptimizedAudio | Refused | Failed, limits: MediaLimits
    ) -> AudioProbe | OptimizedAudio:
        if isinstance(result, Refused):
            raise refusal_of(result)
        if isinstance(result, Failed):
            if (refusal := limits.failed(result.number)) is not None:
                raise refusal
            if result.number is not None:
                raise OSError(result.number, result.message)
            raise MediaBugError(result.message)
        return result

    def _lines(self, limits: MediaLimits, watch: Watch) -> Iterator[tuple[str, bytes]]:
        """The messages up to the last one, while the clock is watched."""
        began, lines = time.monotonic(), _Lines()
        burden = Burden(self.pid, limits.slow_seconds)
        while (data := self._receive()) != b"":
            yield from lines.whole(data)
            took = time.monotonic() - began
            if watch.stop():
                raise DecodeStopped(f"stopped after {self._done_ms} ms of audio")
            if took > limits.wall_allowed(self._done_ms, is_slow=self.is_slow):
                raise limits.too_long(self._done_ms, is_slow=self.is_slow)
            if not self.is_slow and burden.is_slow(took, self._done_ms):
                self.is_slow = True
                watch.slow()
                with suppress(OSError):
                    self._control.send(b"n")

    def _receive(self) -> bytes | None:
        """What the process wrote; None: nothing yet; empty: it has ended."""
        try:
            return self._channel.recv(_READ_BYTES)
        except TimeoutError:
            return None
        except ConnectionError:
            return b""

    def _died(self, limits: MediaLimits) -> AudioRefused | MediaProcessError:
        """The error for a process that ended without a result."""
        ended = self._close()
        if ended is None:
            return MediaProcessError(
                "the server of the processes that read recordings ended; run again"
            )
        if not self.guards and ended.status == NOT_GUARDED << 8:
            return MediaProcessError(
                "a process that reads recordings could not be limited; check that /proc is mounted "
                "and that this user may set limits"
            )
        killed = ended.status & 0x7F == signal.SIGKILL
        if killed and has_killed(self._kills_before, kill_counts()):
            return MediaProcessError(
                "the machine, or its container, ran out of memory, and the system ended the "
                "process that read the recording (SIGKILL; oom_kill rose). This does not count "
                "against the file. Give it more memory, or lower CPU_SLOTS"
            )
        return limits.died(ended.status, self._done_ms)


def _read_progress(body: bytes) -> tuple[int, int]:
    """The ms of audio done in this pass, and in all; the process may be in a stranger's hands."""
    try:
        in_pass, done_ms = map(int, body.split())
    except ValueError:
        raise AnsweredTooMuch("reading the file gave an answer that is none") from None
    return min(in_pass, MOST_MS), min(done_ms, MOST_MS)
