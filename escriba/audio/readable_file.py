"""A file to read audio from: a path, or a file that another process opened for this one.

The process that decodes a stranger's file may open no file by its name (`resources/media`).
"""

import io
import os
from typing import Literal, Protocol


class ReadableFile(Protocol):
    """What reading audio needs of a file; `pathlib.Path` has it."""

    def stat(self) -> os.stat_result:
        """Its size, among other things."""
        ...

    def open(self, mode: Literal["rb"], buffering: Literal[0]) -> io.RawIOBase:
        """The file from its first byte; each call has a position of its own."""
        ...


class OpenedFile:
    """A file that is open already; positions are kept here, since all users share the one there."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def stat(self) -> os.stat_result:
        """The file's status."""
        return os.fstat(self._descriptor)

    def open(self, mode: Literal["rb"], buffering: Literal[0]) -> io.RawIOBase:  # noqa: ARG002  # as Path.open
        """A reader of the whole file; closing it leaves the descriptor open."""
        return _Reader(self._descriptor)


class _Reader(io.RawIOBase):
    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._position = descriptor, 0

    def read(self, size: int = -1, /) -> bytes:
        wanted = os.fstat(self._descriptor).st_size - self._position if size < 0 else size
        data = os.pread(self._descriptor, max(0, wanted), self._position)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = (0, self._position, os.fstat(self._descriptor).st_size)[whence]
        if start + offset < 0:
            raise OSError(22, "Invalid argument")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
