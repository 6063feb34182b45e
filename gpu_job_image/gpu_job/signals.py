"""SIGTERM and SIGINT: stop between batches, save what is done, and end gracefully."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from .stop_request import Stop


@contextmanager
def stopped_by_signals(
    stop: Stop, *, ctrl_c: bool = True, also: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Within the block, SIGTERM requests `stop` and calls `also`; main thread only.

    SIGINT does the same, or nothing without `ctrl_c`: a terminal sends it to parent and child, and
    then the parent decides.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.request("terminated")
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
