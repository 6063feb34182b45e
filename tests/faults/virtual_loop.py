"""An event loop that lives on a `Timeline`: nothing takes time but sleeping.

Requests that are on their way hold the clock, as far as they are answered at all.
"""

import asyncio
import heapq
import time

_LOOK_SECONDS = 0.01  # real ones, into the sockets
_ANSWERED_WITHIN_SECONDS = {True: 0.2, False: 10.0}  # real ones: by whether an answer may be held


class VirtualLoop(asyncio.SelectorEventLoop):
    """`on_their_way`: how many requests have no answer yet; `may_hold`: some may never have one."""

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
        """Hear what there is to hear; where nobody says anything, let time go on."""
        since = time.monotonic()
        while self.on_their_way and not self._ready:
            self._process_events(self._selector.select(_LOOK_SECONDS))
            if time.monotonic() - since > _ANSWERED_WITHIN_SECONDS[self._may_hold]:
                break
        if self._ready:
            return
        while self._scheduled and self._scheduled[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(self._scheduled)._scheduled = False
        if self._scheduled:
            self._now = max(self._now, self._line.wait(self._scheduled[0]._when))
