"""Reads strangers' files in processes with limits; what the chain and the commands use.

A process that has read a good file may read more of the same tenant: starting it costs 30 ms of
CPU, as much as decoding six seconds. One that refused a file is ended.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, Self

from escriba.audio.audio_probe import AudioProbe
from escriba.audio.optimized_audio import OptimizedAudio
from escriba.settings import MEGABYTE, Settings
from resources.silero_vad import bundled_model

from .child_handle import ChildGoneError, ChildHandle, Watch
from .media_limits import MediaLimits
from .media_messages import (
    MediaBugError,
    MediaProcessError,
    MediaTask,
    OptimizeTask,
    ProbeTask,
)
from .media_server import MediaServer, shared_server

MOST_FILES: Final = 32  # that one process reads: what one of them broke does not stay for long
_TRIES: Final = 2  # of which the first may meet a process that something else killed


class MediaPool:
    """The processes of one run; a context manager that ends them. Threads share it."""

    def __init__(
        self,
        limits: MediaLimits,
        scratch: Callable[[], Path],
        server: Callable[[], MediaServer] = shared_server,
    ) -> None:
        """Starts nothing yet.

        Args:
            limits: The limits of each file.
            scratch: Gives a folder for the files that the processes write.
            server: Gives the server that starts them.
        """
        self.limits = limits
        self._scratch, self._server = scratch, server
        self._lock = threading.Lock()
        self._idle: list[tuple[str, ChildHandle]] = []
        self._folders: dict[ChildHandle, TemporaryDirectory[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def probe(self, path: Path, owner: str = "", watch: Watch | None = None) -> AudioProbe:
        """As `escriba.audio.probe.probe`.

        Args:
            path: The file.
            owner: Whose file it is: no process reads files of two owners.
            watch: What to do meanwhile.

        Raises:
            AudioRefused: As there, or a limit was reached (MediaKilled).
            DecodeStopped: `watch.stop()` became true.
            OSError: The file cannot be read.
            DetectorMissingError: The speech model is not installed.
            MediaProcessError: No process could be started.
            MediaBugError: Our own code failed in one.
        """
        with self._used(path, owner, ProbeTask(), watch) as (result, _):
            if isinstance(result, AudioProbe):
                return result
        raise MediaBugError("a process that reads files answered another question")

    def optimize(
        self,
        path: Path,
        folder: Path,
        task: OptimizeTask,
        owner: str = "",
        watch: Watch | None = None,
    ) -> OptimizedAudio:
        """As `escriba.audio.optimize.optimize`; other arguments and errors as `probe`.

        Args:
            path: The file.
            folder: An existing folder for the audio, on the disk of the scratch folder.
            task: The options.
            owner: Whose file it is.
            watch: What to do meanwhile.
        """
        with self._used(path, owner, task, watch) as (result, own_folder):
            if isinstance(result, OptimizedAudio):
                return _moved(result, own_folder, folder)
        raise MediaBugError("a process that reads files answered another question")

    @property
    def children(self) -> list[ChildHandle]:
        """The processes that live now."""
        return list(self._folders)

    def close(self) -> None:
        """Ends the processes that wait for a file; those at work end with their file."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, child in idle:
            self._end(child)

    @contextmanager
    def _used(
        self, path: Path, owner: str, task: MediaTask, watch: Watch | None
    ) -> Iterator[tuple[AudioProbe | OptimizedAudio, Path]]:
        """The result of a task, and the folder of the process that gave it."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            child, result = self._run(owner, task, descriptor, watch or Watch())
        finally:
            os.close(descriptor)
        try:
            yield result, child.folder
        except BaseException:
            self._end(child)
            raise
        self._keep(owner, child)

    def _run(
        self, owner: str, task: MediaTask, descriptor: int, watch: Watch
    ) -> tuple[ChildHandle, AudioProbe | OptimizedAudio]:
        for _ in range(_TRIES):
            child = self._take(owner)
            try:
                return child, child.run(task, descriptor, self.limits, watch)
            except ChildGoneError:
                self._end(child)
            except BaseException:
                self._end(child)
                raise
        raise MediaProcessError("the processes that read recordings end when they begin; run again")

    def _take(self, owner: str) -> ChildHandle:
        with self._lock:
            for place, (kept_for, child) in enumerate(self._idle):
                if kept_for == owner and child.folder.is_dir():  # else it was swept after a day
                    del self._idle[place]
                    return child
            other = self._idle.pop(0)[1] if len(self._idle) >= (os.cpu_count() or 1) else None
        if other is not None:
            self._end(other)
        return self._start()

    def _start(self) -> ChildHandle:
        bundled_model()  # a missing model is told here, not as a server that ended
        scratch = self._scratch()
        folder = TemporaryDirectory(prefix="media-", dir=scratch, ignore_cleanup_errors=True)
        try:
            child = self._server().start_child(Path(folder.name), self.limits)
        except BaseException:
            folder.cleanup()
            raise
        self._folders[child] = folder
        return child

    def _keep(self, owner: str, child: ChildHandle) -> None:
        is_worn = child.is_slow or child.files_read >= MOST_FILES
        if is_worn or any(child.folder.iterdir()):
            self._end(child)
            return
        with self._lock:
            self._idle.append((owner, child))

    def _end(self, child: ChildHandle) -> None:
        child.kill()
        with suppress(KeyError):
            self._folders.pop(child).cleanup()


def limits_of(settings: Settings) -> MediaLimits:
    """The limits that the settings give."""
    return MediaLimits(
        cpu_seconds=settings.media_cpu_seconds,
        cpu_seconds_per_hour=settings.media_cpu_seconds_per_hour,
        wall_seconds=settings.media_wall_seconds,
        memory_bytes=settings.media_memory_mb * MEGABYTE,
        output_bytes=settings.media_output_mb * MEGABYTE,
        slow_seconds=settings.media_slow_seconds,
    )


def open_pool(settings: Settings, scratch: Callable[[], Path]) -> MediaPool:
    """The pool with the limits of the settings."""
    return MediaPool(limits_of(settings), scratch)


def _moved(made: OptimizedAudio, own_folder: Path, folder: Path) -> OptimizedAudio:
    """The audio in the caller's folder. The process may have lied about what it wrote."""
    path = own_folder / made.path.name
    if path != made.path or path.is_symlink() or not path.is_file():
        raise MediaBugError(f"a process that reads files wrote no file, but {made.path}")
    return replace(made, path=path.rename(folder / path.name))
