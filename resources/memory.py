"""A process that waits for hours should not keep what it needed for minutes."""

import ctypes
import sys
from contextlib import suppress

_M_ARENA_MAX = -8  # mallopt(3)
_ARENAS = 2


def keep_small() -> None:
    """Let glibc make two heaps, not one for each of our threads: a third less at 1,000 jobs.

    On other systems nothing happens.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)
