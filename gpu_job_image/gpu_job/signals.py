"""SIGTERM and SIGINT: stop between batches, keep what is done, end in good order."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from .stop import Stop


@contextmanager
def stopped_by_signals(
    stop: Stop, *, ctrl_c: bool = True, also: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """In the block SIGTERM says `stop`, and calls `also`; for the main thread only.

    SIGINT does the same, or nothing without `ctrl_c`: in a terminal it comes to parent and
    child alike, and then the parent decides.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.say("preempted")
        also()

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, handle),
        signal.SIGINT: signal.signal(signal.SIGINT, handle if ctrl_c else signal.SIG_IGN),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
