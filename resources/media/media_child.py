"""The process that reads strangers' files: it takes tasks from its channel, one after another.

Each task comes with the open file; the process itself can open nothing but the files of its own
folder. Everything is imported and warmed up before it starts (`fork_server.py`).
"""

import os
import socket
import time
import traceback
from pathlib import Path
from typing import Final

from escriba.audio.audio_errors import AudioRefused
from escriba.audio.index_memory import index_refusal
from escriba.audio.optimize import optimize
from escriba.audio.probe import probe
from escriba.audio.readable_file import OpenedFile
from escriba.audio.speech_detection import SpeechDetector

from .child_guards import CpuAllowance, guard
from .media_limits import MediaLimits
from .media_messages import (
    OPTIMIZED,
    PROBE,
    TASK,
    Failed,
    OptimizeTask,
    Refused,
    line,
)
from .system_errors import system_error

_TASK_BYTES: Final = 65_536
_REPORT_SECONDS: Final = 0.1  # between two reports of progress


def serve(
    channel: socket.socket, folder: Path, limits: MediaLimits, detector: SpeechDetector
) -> None:
    """Works until the other end of the channel is closed.

    Args:
        channel: Tasks, each with a file descriptor, come from here; reports and results go there.
        folder: The only folder whose files this process may use.
        limits: The limits of each file.
        detector: The speech detector.
    """
    guarded = guard(folder, limits)
    channel.sendall(line("guarded", repr(sorted(k for k, v in guarded.items() if v)).encode()))
    while True:
        text, descriptors, _, _ = socket.recv_fds(channel, _TASK_BYTES, 1)
        if not text:
            return
        work = _Work(channel, limits, detector)
        try:
            channel.sendall(_answer(text, OpenedFile(descriptors[0]), folder, work))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


class _Work:
    """Reports progress, and lengthens the CPU time that the file may take."""

    def __init__(
        self, channel: socket.socket, limits: MediaLimits, detector: SpeechDetector
    ) -> None:
        self.detector = detector
        self.memory_bytes = limits.memory_bytes
        self._channel, self._allowance = channel, CpuAllowance(limits)
        self._reported = time.monotonic()

    @property
    def has_decoded(self) -> bool:
        """Whether any audio of the file has been decoded."""
        return self._allowance.done_ms > 0

    def progress(self, done_ms: int) -> None:
        self._allowance.decoded(done_ms)
        now = time.monotonic()
        if now - self._reported >= _REPORT_SECONDS:
            self._reported = now
            self._channel.sendall(line("progress", b"%d %d" % (done_ms, self._allowance.done_ms)))


def _answer(text: bytes, source: OpenedFile, folder: Path, work: _Work) -> bytes:
    try:
        return _result(text, source, folder, work)
    except AudioRefused as error:
        hidden = None if work.has_decoded else index_refusal(source, error, work.memory_bytes)
        return _failure(hidden or error)
    except BaseException as error:  # noqa: BLE001 - told to the orchestrator, whatever it is
        return _failure(error)


def _result(text: bytes, source: OpenedFile, folder: Path, work: _Work) -> bytes:
    task = TASK.validate_json(text)
    if not isinstance(task, OptimizeTask):
        return line("probe", PROBE.dump_json(probe(source)))
    made = optimize(
        source,
        folder,
        detector=work.detector,
        channels=task.channels,
        track=task.track,
        limit_bytes=task.limit_bytes,
        progress=work.progress,
    )
    return line("optimized", OPTIMIZED.dump_json(made))


def _failure(error: BaseException) -> bytes:
    number = system_error(error)
    if number is None and isinstance(error, AudioRefused):
        refused = Refused(code=error.code, message=error.message)
        return line("refused", refused.model_dump_json().encode())
    message = str(error) if number else "".join(traceback.format_exception(error))
    return line("failed", Failed(number=number, message=message[-4000:]).model_dump_json().encode())
