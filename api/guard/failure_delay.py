"""Slows down whoever guesses passwords, and nobody else."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

_FAILURE_SECONDS = 1.0
_MOST_WAITING = 10  # of one address
_MOST_ADDRESSES = 1024  # that guess at the same time; further ones share a turn
_NETWORK_BITS = 64  # of IPv6: who has one address has all of its network
_ALL_OTHERS = "others"
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([\d.]+):\d+")


class TooManyGuessesError(Exception):
    """Enough guesses of the same address are waiting already."""


@dataclass(slots=True)
class _Turn:
    """The guesses of one address, one at a time. waiting: their number, with the one at it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class FailureDelay:
    """Checks one guess of an address at a time; a wrong one delays its next by a second.

    An address is remembered while a guess of it waits, so the table cannot grow beyond
    `_MOST_ADDRESSES` + 1. An IPv6 network of 64 bits counts as one address.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._turns: dict[str, _Turn] = {}

    async def check(self, is_right: Callable[[], bool], peer: str = "") -> bool:
        """Return whether the guess of an address is right.

        Raises:
            TooManyGuessesError: ten others of this address are waiting for their check.
        """
        name = self._name_of(peer)
        turn = self._turns.setdefault(name, _Turn())
        if turn.waiting >= _MOST_WAITING:
            raise TooManyGuessesError
        turn.waiting += 1
        try:
            async with turn.lock:
                if right := is_right():
                    return right
                await self._sleep(_FAILURE_SECONDS)
                return False
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                del self._turns[name]

    def _name_of(self, peer: str) -> str:
        name = _network_of(peer)
        is_full = len(self._turns) >= _MOST_ADDRESSES
        return _ALL_OTHERS if is_full and name not in self._turns else name


def _network_of(peer: str) -> str:
    """The address, or its network where one stranger has the whole; also of names of sockets.

    Some proxies write the port beside the address, which differs at each connection.
    """
    with_port = _WITH_PORT.fullmatch(peer)
    plain = (with_port[1] or with_port[2]) if with_port else peer
    try:
        address = ip_address(plain.partition("%")[0])
    except ValueError:
        return peer
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{int(address) >> (128 - _NETWORK_BITS):x}"
