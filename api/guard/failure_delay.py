"""Slows down whoever guesses passwords."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

_FAILURE_SECONDS = 1.0
_MOST_WAITING = 10  # of one address: its guesses must not keep everybody else out


class TooManyGuessesError(Exception):
    """Enough guesses of the same address are waiting already."""


class FailureDelay:
    """Checks one guess at a time; each wrong one delays all that follow by a second."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep, self._turn = sleep, asyncio.Lock()
        self._waiting = Counter[str]()

    async def check(self, is_right: Callable[[], bool], peer: str = "") -> bool:
        """Return whether the guess of an address is right.

        Raises:
            TooManyGuessesError: ten others of this address are waiting for their check.
        """
        if self._waiting[peer] >= _MOST_WAITING:
            raise TooManyGuessesError
        self._waiting[peer] += 1
        try:
            async with self._turn:
                if right := is_right():
                    return right
                await self._sleep(_FAILURE_SECONDS)
                return False
        finally:
            self._waiting[peer] -= 1
            self._waiting += Counter()  # forgets addresses that wait for nothing
