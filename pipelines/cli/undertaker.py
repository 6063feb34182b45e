"""Ends process groups when whoever started this is gone, even by SIGKILL.

Started by `pipelines.cli.processes` with a pipe as standard input, on which it hears the numbers
of the groups, one a line; the pipe ends with its other side. Imports nothing of ours.
"""

import contextlib
import os
import signal
import sys
import time

FAREWELL_SECONDS = 20.0  # for runs to cancel what they have at a backend, and to say so
_POLL_SECONDS = 0.2


def main() -> None:
    """Until standard input ends."""
    groups = [int(line) for line in sys.stdin]
    for group in reversed(groups):
        tell(group, signal.SIGTERM)
    until = time.monotonic() + FAREWELL_SECONDS
    while any(tell(group, 0) for group in groups) and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    for group in groups:
        tell(group, signal.SIGKILL)


def tell(group: int, number: int) -> bool:
    """Send the signal to all in the group; False where nobody is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
