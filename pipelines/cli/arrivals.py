"""What comes into the inbox while `escriba run --watch` waits."""

import time
from collections.abc import Callable, Iterator

from assets.inbox import quarantine_new
from assets.intake import Cursor, Found, look
from resources.storage.base import Storage

_EVERY_SECONDS = 10.0  # in a folder a file must look the same for as long before it is taken


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
