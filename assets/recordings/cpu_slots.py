"""Places for files that are being decoded, and spare ones for those that turn out slow.

A file that holds a core for no audio leaves its place to others, so that no good recording waits
for it. It goes on in a spare place if there is one; otherwise it is dropped, and begins again
when one becomes free.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_LOOK_SECONDS = 0.2  # between two looks for a spare place


class NoSparePlaceError(Exception):
    """The file is slow, and all spare places are taken: it must wait for one."""


class CpuSlots:
    """The places of one run; made inside its event loop."""

    def __init__(self, places: int, spares: int) -> None:
        self.places = asyncio.Semaphore(places)
        self._spares, self._lock = spares, threading.Lock()

    @asynccontextmanager
    async def place(self) -> AsyncIterator["CpuSlot"]:
        """A place, once there is one."""
        await self.places.acquire()
        slot = CpuSlot(self)
        try:
            yield slot
        finally:
            slot.free()

    @asynccontextmanager
    async def spare(self) -> AsyncIterator["CpuSlot"]:
        """A spare place, once there is one."""
        while not self.take_spare():  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)  # it is given back in another thread
        slot = CpuSlot(self, is_spare=True)
        try:
            yield slot
        finally:
            slot.free()

    def take_spare(self) -> bool:
        """Takes a spare place if one is free; any thread may call this."""
        with self._lock:
            if not self._spares:
                return False
            self._spares -= 1
            return True

    def give_spare(self) -> None:
        """Gives it back."""
        with self._lock:
            self._spares += 1


class CpuSlot:
    """The place of one file."""

    def __init__(self, slots: CpuSlots, *, is_spare: bool = False) -> None:
        self._slots, self._is_spare = slots, is_spare
        self._loop = asyncio.get_running_loop()

    def leave_to_others(self) -> None:
        """Moves the file to a spare place; called in the thread that decodes it.

        Raises:
            NoSparePlaceError: All are taken.
        """
        if self._is_spare:
            return
        if not self._slots.take_spare():
            raise NoSparePlaceError
        self._is_spare = True
        self._loop.call_soon_threadsafe(self._slots.places.release)

    def free(self) -> None:
        """Gives the place back; called in the event loop."""
        if self._is_spare:
            self._slots.give_spare()
        else:
            self._slots.places.release()
