"""One virtual clock for several processes: it advances when all of them wait.

Each participating thread holds a `Line`. A process that dies, even by SIGKILL, disconnects, and the
clock no longer waits for it.
"""

import threading
from multiprocessing.connection import Client, Listener

_FAMILY, _BACKLOG = "AF_UNIX", 64


class Timeline:
    """The clock, in seconds from 0. address: where other processes connect."""

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
        """Wait until that time, or until it is woken; returns the time then."""
        with self._changed:
            if number not in self._woken:
                self._waiting[number] = max(until, self.now)
                self._move_on()
            self._changed.wait_for(lambda: number not in self._waiting)
            self._woken.discard(number)
            return self.now

    def wake(self, number):
        """Wake a line now, or as soon as it waits."""
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
        """Only the first line continues; it may change what the others wait for."""
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
            try:
                joins, tells = far.recv()
            except (EOFError, OSError):  # it died as it came
                continue
            number = self._enter() if joins else 0
            threading.Thread(target=self._serve, args=(far, number, tells), daemon=True).start()

    def _serve(self, far, number, tells):
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
            if tells:
                self.wake(tells)  # before the clock moves on
            self.leave(number)


class _Near:
    """A line in the process of the clock."""

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
    """A line in another process; each thread needs its own.

    joins: False: it only reads the time, and the clock does not wait for it. tells: the number of
    the line that is woken when this one ends, however it does; 0: none.
    """

    def __init__(self, address, *, joins=True, tells=0):
        self._far, self._one_at_a_time = Client(address, _FAMILY), threading.Lock()
        self._far.send((joins, tells))
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
