"""One virtual clock for several processes: it moves on when all of them wait.

Each thread that takes part holds a `Line`. What dies, by SIGKILL too, hangs up, and nobody waits
for it any more.
"""

import threading
from multiprocessing.connection import Client, Listener

_FAMILY, _BACKLOG = "AF_UNIX", 64


class Timeline:
    """The clock. Seconds begin at 0; `address` is where other processes find it."""

    def __init__(self, folder):
        self.now = 0.0
        self._waiting, self._present, self._woken = {}, set(), set()
        self._numbers, self._changed = 0, threading.Condition()
        self._listener = Listener(str(folder / "timeline"), _FAMILY, _BACKLOG)
        self.address = self._listener.address
        threading.Thread(target=self._listen, daemon=True).start()

    def join(self):
        """A line for a thread of this process; the clock waits for it from now on."""
        return _Near(self, self._enter())

    def close(self):
        self._listener.close()

    def wait(self, number, until):
        """Until it is so late, or somebody wakes it; the time then."""
        with self._changed:
            if number not in self._woken:
                self._waiting[number] = max(until, self.now)
                self._move_on()
            self._changed.wait_for(lambda: number not in self._waiting)
            self._woken.discard(number)
            return self.now

    def wake(self, number):
        """Now, or as soon as it waits."""
        with self._changed:
            self._woken.add(number)
            self._waiting.pop(number, None)
            self._changed.notify_all()

    def leave(self, number):
        with self._changed:
            self._present.discard(number)
            self._waiting.pop(number, None)
            self._move_on()

    def _enter(self):
        with self._changed:
            self._numbers += 1
            self._present.add(self._numbers)
            return self._numbers

    def _move_on(self):
        """Only the first of them goes on; it may change what the others wait for."""
        if not self._waiting or len(self._waiting) < len(self._present):
            return
        number = min(self._waiting, key=lambda one: (self._waiting[one], one))
        self.now = max(self.now, self._waiting.pop(number))
        self._changed.notify_all()

    def _listen(self):
        while True:
            try:
                far = self._listener.accept()
            except OSError:
                return
            number = self._enter() if far.recv() else 0
            threading.Thread(target=self._serve, args=(far, number), daemon=True).start()

    def _serve(self, far, number):
        try:
            far.send(number)
            while True:
                asked, value = far.recv()
                if asked == "wake":
                    self.wake(value)
                elif asked == "now":
                    far.send(self.now)
                else:
                    far.send(self.wait(number, value))
        except (EOFError, OSError):
            self.leave(number)


class _Near:
    """A line of the process that holds the clock."""

    def __init__(self, timeline, number):
        self._timeline, self.number = timeline, number

    def now(self):
        return self._timeline.now

    def wait(self, until):
        return self._timeline.wait(self.number, until)

    def sleep(self, seconds):
        return self.wait(self.now() + seconds)

    def leave(self):
        self._timeline.leave(self.number)


class Line:
    """The same from another process; each thread needs its own.

    One that does not join only looks, and nobody waits for it.
    """

    def __init__(self, address, *, joins=True):
        self._far, self._one_at_a_time = Client(address, _FAMILY), threading.Lock()
        self._far.send(joins)
        self.number = self._far.recv()

    def now(self):
        with self._one_at_a_time:
            self._far.send(("now", None))
            return self._far.recv()

    def wait(self, until):
        self._far.send(("wait", until))
        return self._far.recv()

    def sleep(self, seconds):
        return self.wait(self.now() + seconds)

    def wake(self, number):
        with self._one_at_a_time:
            self._far.send(("wake", number))

    def leave(self):
        self._far.close()
