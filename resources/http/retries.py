"""Requests that are sent again after a failure that passes."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from .json_requests import TransientError
from .rate_limiter import Clock, Jitter, RateLimiter, Sleep, backoff_seconds

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Retries:
    """At most `tries` requests within `within_seconds`, with jittered backoff between them."""

    clock: Clock
    sleep: Sleep
    jitter: Jitter
    tries: int = 4
    within_seconds: float = 45.0

    async def send(self, request: Callable[[], Awaitable[Answer]], limiter: RateLimiter) -> Answer:
        """The answer. A Retry-After pauses all requests of the limiter.

        Raises:
            TransientError: of the last request.
        """
        began = self.clock()
        for failures in itertools.count(1):
            try:
                async with limiter.turn():
                    return await request()
            except TransientError as error:
                retry_after = error.retry_after_seconds or 0.0
                wait = retry_after + backoff_seconds(failures, self.jitter)
                late = self.clock() - began + wait > self.within_seconds
                if failures == self.tries or late:
                    raise
            limiter.pause(retry_after)
            await self.sleep(wait)
        raise AssertionError  # the loop never ends by itself
