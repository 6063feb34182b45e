"""Reads requests from the parent process, and exits when the parent dies.

The parent writes one request a line. The kernel closes the pipe however the parent ends, even by
SIGKILL, on every platform. So the end of input without a farewell means that the parent is dead,
and this process exits immediately, whatever its other threads are doing.
"""

import os
import queue
import threading
from typing import BinaryIO

FAREWELL = b"end"
ORPHANED_EXIT = 3


class ParentPipe:
    """A queue of the parent's lines; None after the farewell."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        # SimpleQueue is reentrant: a signal handler may put while the same thread gets
        self.lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="parent-pipe", daemon=True).start()

    def _listen(self) -> None:
        for line in self._source:
            if line.strip() == FAREWELL:
                self.lines.put(None)
                return
            self.lines.put(line)
        os._exit(ORPHANED_EXIT)
