"""Whether paid backends may be used with the store of the settings: it must create once.

Two orchestrators, or two workers that got one message, would otherwise both run a job.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from escriba.billing.quotes import Health
from resources.storage.base import Storage, StorageError
from resources.storage.create_once import STORES_THAT_DO, WayOfCreating, prove_create_once

_WELL: Final = Health("well")
_REMEMBERED_SECONDS: Final = 60.0  # that the store could not be tested


class ProvenStore:
    """The proof for one run; made at the first call, and remembered.

    accept: paid backends may be used in any case (UNPROVEN_STORE=accept). clock: seconds.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        accept: bool,
        prove: Callable[[Storage], list[WayOfCreating]] = prove_create_once,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage, self._prove, self._clock = storage, prove, clock
        self._health = None if _needs_proof(storage, accept) else _WELL
        self._known_until = float("inf")
        self._asking = asyncio.Lock()

    async def health(self) -> Health:
        """`well` where the store creates once; otherwise `down`, and why. Asks the store once.

        A store that cannot be reached proves nothing, and is asked again after a minute. One
        probe at a time holds a thread; the jobs that wait for it hold none.
        """
        async with self._asking:
            if self._health is None or self._clock() >= self._known_until:
                self._health = await asyncio.to_thread(self._ask)
            return self._health

    def _ask(self) -> Health:
        try:
            ways = self._prove(self._storage)
        except StorageError as error:
            self._known_until = self._clock() + _REMEMBERED_SECONDS
            return Health("down", f"the store could not be tested: {error}")
        self._known_until = float("inf")
        return health_of(ways)


def health_of(ways: list[WayOfCreating]) -> Health:
    """What the ways of creating mean for paid backends."""
    faults = [f"{way.fault} ({way.name})" for way in ways if way.fault]
    if not faults:
        return _WELL
    reason = (
        f"a job may be paid for twice in this store: {'; '.join(faults)}. Use {STORES_THAT_DO}, "
        "or set UNPROVEN_STORE=accept to take that risk"
    )
    return Health("down", reason, lasting=True)


def _needs_proof(storage: Storage, accept: bool) -> bool:  # noqa: FBT001  # the setting itself
    """A folder creates by a hard link, which only one process can win."""
    return storage.writes_appear_whole and not accept
