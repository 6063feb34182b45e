"""Proof that a store creates an object once, when several clients try at the same time.

Idempotency rests on this (docs/idempotency.md): without it a job may be paid for twice. A store may
ignore the condition, check it without a lock, or have no conditional writes at all.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from gpu_job.contract import Address
from resources.http.hide_urls import hide_urls

from .base import NoConditionalWritesError, Storage, StorageError
from .store_answer import answer_in

ROUNDS: Final = 4  # for each way
_CLIENTS: Final = 4  # at the same time: the more, the likelier a check without a lock shows
KEPT_BELOW: Final = "work/.doctor/"  # the keys of the probe, which removes them
STORES_THAT_DO: Final = (
    "AWS S3, Google Cloud Storage, Azure Blob, Cloudflare R2, a current MinIO, or a local folder"
)
_LIFE: Final = timedelta(minutes=5)
_TIMEOUT_SECONDS: Final = 20.0
_NO_CONDITIONS: Final = "the store has no conditional writes"
_EXISTS: Final = frozenset({409, 412})
_BUSY: Final = frozenset({408, 429})  # and 5xx
_PAUSES_SECONDS: Final = (0.5, 1.0, 2.0, 4.0)
_SERVER_ERROR: Final = 500

if TYPE_CHECKING:
    import httpx

Create = Callable[[bytes], bool]  # True: created; False: the key exists


@dataclass(frozen=True, slots=True)
class WayOfCreating:
    """How one way fared. name: of the way. fault: what went wrong; empty if it creates once."""

    name: str
    fault: str = ""


def prove_create_once(
    storage: Storage, rounds: int = ROUNDS, sleep: Callable[[float], None] = time.sleep
) -> list[WayOfCreating]:
    """Let several clients create one object at the same time, through each way that is used.

    The ways are the signed URL that a worker gets, and the storage library's request; a folder has
    only the second. About 60 small requests; what they create is removed. sleep: while the store
    is busy, as some are when one object is written often.

    Raises:
        StorageError: the store could not be reached, or refused access.
    """
    ways = []
    if storage.address(f"{KEPT_BELOW}x", "create", _LIFE).url.startswith("http"):
        fault = _fault_of_signed(storage, rounds, sleep)
        ways.append(WayOfCreating("through a signed URL", fault))
        if ways[0].fault.startswith(_NO_CONDITIONS):  # the library would try again for a minute
            return ways
    return [WayOfCreating("by the storage library", _fault(storage, rounds, _directly)), *ways]


def _fault_of_signed(storage: Storage, rounds: int, sleep: Callable[[float], None]) -> str:
    import httpx  # noqa: PLC0415

    hide_urls()
    with httpx.Client(timeout=_TIMEOUT_SECONDS) as client:

        def way(storage: Storage, key: str) -> Create:
            address = storage.address(key, "create", _LIFE)
            return lambda body: _sent(client, address, body, sleep)

        try:
            return _fault(storage, rounds, way)
        except NoConditionalWritesError as error:
            return str(error)


def _fault(storage: Storage, rounds: int, way: Callable[[Storage, str], Create]) -> str:
    keys = (f"{KEPT_BELOW}{token_hex(8)}" for _ in range(rounds))
    return next((fault for key in keys if (fault := _round(storage, key, way))), "")


def _round(storage: Storage, key: str, way: Callable[[Storage, str], Create]) -> str:
    """One race, and one creation after it; a description of what went wrong, or an empty text."""
    create, bodies = way(storage, key), [token_hex(4).encode() for _ in range(_CLIENTS)]
    try:
        won = _race(create, bodies)
        again = create(b"late")
        if sum(won) == _CLIENTS and again:
            return "it creates an object that exists: the condition is ignored"
        if sum(won) + again > 1:
            return "several clients created one object at the same time: the check is not atomic"
        if not any(won) and not again and storage.read(key) not in {*bodies, b"late"}:
            return "nobody could create an object that does not exist"
        if any(won) and storage.read(key) != bodies[won.index(True)]:
            return "a refused creation changed the object"
    finally:
        with suppress(StorageError):
            storage.delete(key)
    return ""


def _race(create: Create, bodies: list[bytes]) -> list[bool]:
    start = threading.Barrier(len(bodies))

    def run(body: bytes) -> bool:
        start.wait()
        return create(body)

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(run, bodies))


def _directly(storage: Storage, key: str) -> Create:
    return lambda body: storage.create(key, body)


def _sent(
    client: "httpx.Client", address: Address, body: bytes, sleep: Callable[[float], None]
) -> bool:
    """Whether the object was created, False if it exists; no error shows the URL."""
    answer = _answer(client, address, body)
    for pause in _PAUSES_SECONDS:
        if not _is_busy(answer):
            break
        sleep(pause)
        answer = _answer(client, address, body)
    if answer.is_success or answer.status_code in _EXISTS:
        return answer.is_success
    said = answer_in(answer.text, answer.status_code)
    if said.is_not_implemented:
        raise NoConditionalWritesError(f"{_NO_CONDITIONS}{said.quoted}")
    if _is_busy(answer):
        raise StorageError(f"The store is busy: status {answer.status_code}{said.quoted}.")
    raise StorageError(
        f"A signed URL was refused with status {answer.status_code}{said.quoted}. The key that "
        "signs needs write permission, and this machine's clock must be right."
    )


def _answer(client: "httpx.Client", address: Address, body: bytes) -> "httpx.Response":
    import httpx  # noqa: PLC0415

    try:
        return client.request(address.method, address.url, headers=address.headers, content=body)
    except httpx.HTTPError as error:
        raise StorageError(f"A signed URL does not work: {type(error).__name__}") from None


def _is_busy(answer: "httpx.Response") -> bool:
    """Whether the same request may succeed later."""
    is_busy = answer.status_code in _BUSY or answer.status_code >= _SERVER_ERROR
    return is_busy and not answer_in(answer.text, answer.status_code).is_not_implemented
