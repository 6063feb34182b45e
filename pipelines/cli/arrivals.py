"""What comes into the inbox while `escriba run --watch` waits."""

import signal
import time
from collections.abc import Callable, Iterator

from assets.inbox import quarantine_new
from assets.intake import Cursor, Found, look
from resources.storage.base import Storage

_EVERY_SECONDS = 10.0  # in a folder a file must look the same for as long before it is taken


def listen_to_signals() -> None:
    """SIGINT and SIGTERM end the wait, also where a shell has started us with both ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def arrivals(
    storage: Storage, sleep: Callable[[float], None] = time.sleep
) -> Iterator[list[Found]]:
    """Batches of new and overwritten recordings, for ever; ends with Ctrl-C."""
    cursor = Cursor()
    while True:
        seen = look(storage, cursor)
        quarantine_new(storage, seen.refused)
        cursor = seen.cursor
        if seen.found:
            yield seen.found
        if not seen.more:
            sleep(_EVERY_SECONDS)
