"""A worker that outlives its parent would compute for nobody: it goes when its input closes.

The parent writes one request a line. The kernel closes the pipe whichever way the parent ends,
SIGKILL too, on every platform; so the end of input without a farewell means: gone, at once,
in the middle of whatever the other threads are doing.
"""

import os
import queue
import threading
from typing import BinaryIO

FAREWELL = b"end"
ORPHANED_EXIT = 3


class Lifeline:
    """Lines of the parent, in a queue; None after the farewell."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        # of the kind that a signal handler may put into while the same thread takes from it
        self.lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="lifeline", daemon=True).start()

    def _listen(self) -> None:
        for line in self._source:
            if line.strip() == FAREWELL:
                self.lines.put(None)
                return
            self.lines.put(line)
        os._exit(ORPHANED_EXIT)
