"""An event loop on a `Timeline`: only sleeping takes time.

Pending requests hold the clock until they are answered.
"""

import asyncio
import heapq
import time

_LOOK_SECONDS = 0.01  # real time to wait on the sockets
_MESSAGE_SECONDS = 0.05  # real time that a message takes at most
_ANSWERED_WITHIN_SECONDS = {True: 0.2, False: 10.0}  # real time: by whether an answer may be held


class VirtualLoop(asyncio.SelectorEventLoop):
    """on_their_way: the number of pending requests. may_hold: some may never be answered."""

    def __init__(self, line, *, may_hold=False):
        super().__init__()
        self._line, self._may_hold = line, may_hold
        self._now, self.on_their_way = line.now(), 0

    def time(self):
        return self._now

    def _run_once(self):
        if not self._ready:
            self._look_around()
        super()._run_once()

    def _look_around(self):
        """Handle pending answers; without any, let time advance."""
        since = time.monotonic()
        while self.on_their_way and not self._ready:
            self._process_events(self._selector.select(_LOOK_SECONDS))
            if time.monotonic() - since > _ANSWERED_WITHIN_SECONDS[self._may_hold]:
                break
        while not self._ready and (when := self._next_timer()) is not None:
            self._now = max(self._now, self._line.wait(when))
            if self._now >= when:
                return
            # it was woken: a process that it started has written, or is gone
            self._process_events(self._selector.select(_MESSAGE_SECONDS))

    def _next_timer(self):
        while self._scheduled and self._scheduled[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(self._scheduled)._scheduled = False
        return self._scheduled[0]._when if self._scheduled else None
