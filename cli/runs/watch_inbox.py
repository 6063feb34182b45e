"""Waits for new files in the inbox, for `escriba run --watch`."""

import signal
import time
from collections.abc import Callable, Iterator

from intake.inbox import quarantine_new
from intake.inbox_sweep import Cursor, NewRecording, sweep_inbox
from resources.storage.base import Storage

_INTERVAL_SECONDS = 10.0  # in a local folder a file must not change for as long


def listen_to_signals() -> None:
    """Let SIGINT and SIGTERM end the wait, even if the shell started this process ignoring them."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def arrivals(
    storage: Storage, sleep: Callable[[float], None] = time.sleep
) -> Iterator[list[NewRecording]]:
    """Yield batches of new and overwritten recordings until Ctrl-C."""
    cursor = Cursor()
    while True:
        seen = sweep_inbox(storage, cursor)
        quarantine_new(storage, seen.refused)
        cursor = seen.cursor
        if seen.found:
            yield seen.found
        if not seen.more:
            sleep(_INTERVAL_SECONDS)
