"""The sources of time and randomness of a backend."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Time:
    """clock: monotonic seconds. jitter: between 0 and 1."""

    clock: Clock = time.monotonic
    sleep: Sleep = asyncio.sleep
    jitter: Callable[[], float] = random.random


REAL_TIME = Time()
