"""Says every minute what a run waits for, so that nobody takes it for one that hangs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from resources.gpu.waiting_jobs import WaitingGroup, WaitingJobs

from .progress import Progress

EVERY_SECONDS: Final = 60.0
_MOST: Final = 3  # reasons in one notice


async def tell_waiting(
    waiting: WaitingJobs,
    progress: Progress,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Until it is cancelled, tell what has waited for a minute or longer."""
    while True:
        await sleep(EVERY_SECONDS)
        for group in waiting.groups(EVERY_SECONDS - 1.0)[:_MOST]:
            progress.waiting(waiting_sentence(group))


def waiting_sentence(group: WaitingGroup) -> str:
    """One line about the recordings that wait for one reason."""
    minutes, one = group.longest_seconds / 60, group.jobs == 1
    who = "One job waits" if one else f"{group.jobs:,} jobs wait"
    return f"{who}, {minutes:,.0f} min so far: {group.reason}."
