"""Slows down whoever guesses passwords."""

import asyncio
from collections.abc import Awaitable, Callable

_FAILURE_SECONDS = 1.0
_MOST_WAITING = 10


class TooManyGuessesError(Exception):
    """Others are being checked, and enough are waiting already."""


class FailureDelay:
    """Checks one guess at a time; each wrong one delays all that follow by a second."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep, self._turn, self._waiting = sleep, asyncio.Lock(), 0

    async def check(self, is_right: Callable[[], bool]) -> bool:
        """Return whether the guess is right.

        Raises:
            TooManyGuessesError: ten others are waiting for their check.
        """
        if self._waiting >= _MOST_WAITING:
            raise TooManyGuessesError
        self._waiting += 1
        try:
            async with self._turn:
                if right := is_right():
                    return right
                await self._sleep(_FAILURE_SECONDS)
                return False
        finally:
            self._waiting -= 1
