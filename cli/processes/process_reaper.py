"""Stops process groups when the process that started this one is gone, even by SIGKILL.

`cli.processes.child_processes` starts it with a pipe as standard input and writes process group
ids, one per line; the pipe closes when that process ends. Imports no other module of Escriba.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE_SECONDS = 20.0  # for runs to cancel their jobs at a backend and to record that
_POLL_SECONDS = 0.2


def main() -> None:
    """Wait until standard input closes, then stop the groups."""
    groups = _groups(map(int, sys.stdin))
    for group in reversed(groups):
        signal_group(group, signal.SIGTERM)
    until = time.monotonic() + GRACE_SECONDS
    while any(signal_group(group, 0) for group in groups) and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    for group in groups:
        signal_group(group, signal.SIGKILL)


def _groups(numbers: Iterable[int]) -> list[int]:
    """The ids that were written, without those of which the negative was written later."""
    groups: list[int] = []
    for number in numbers:
        if number > 0:
            groups.append(number)
        else:
            groups.remove(-number)
    return groups


def signal_group(group: int, number: int) -> bool:
    """Send the signal to all processes of the group; return False if none is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
