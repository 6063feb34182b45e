"""The health of an account with an API: asked now and then, and remembered once it is refused."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from escriba.billing.quotes import Health
from resources.gpu.local_worker import LocalJob

LOOK_SECONDS = 30.0  # between two requests
REFUSED_SECONDS = 600.0  # a refused account is asked again after that


class AccountHealth(ABC):
    """The health of one account; asks at most every LOOK_SECONDS."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: tuple[float, Health] | None = None
        self._refused: tuple[float, str] | None = None
        self._asking = asyncio.Lock()

    async def health(self) -> Health:
        """The verdict; never raises, and holds no key."""
        async with self._asking:  # a thousand orders that wait ask once, together
            now = self._clock()
            if self._refused is not None and now - self._refused[0] < REFUSED_SECONDS:
                return Health("down", self._refused[1], lasting=True)
            if self._last is None or now - self._last[0] >= LOOK_SECONDS:
                self._last = (now, await self._asked())
            return self._last[1]

    def ended(self, job: LocalJob) -> None:
        """Remember a refused account, so that no further job is tried with it."""
        if job.code == "api_refused":
            self._refused = (self._clock(), job.error)

    @abstractmethod
    async def _asked(self) -> Health:
        """What the API answers to one request; never raises."""
