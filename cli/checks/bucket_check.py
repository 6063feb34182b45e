"""Checks that the bucket can be read, has conditional writes, and signs long-lived URLs."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from secrets import token_hex

from escriba.settings import Settings, SettingsError
from gpu_job.contract import Address
from intake.refused_requests import read_refused
from resources.storage import open_storage
from resources.storage.base import Storage, StorageError

from .finding import Finding

_EXISTS = (409, 412)
_SHORT_LIFE = timedelta(hours=24)


def bucket(settings: Settings) -> Iterator[Finding]:
    """Check listing, conditional writes, and how long signed URLs are valid."""
    what = "bucket"
    try:
        storage = open_storage(settings)
        next(iter(storage.list("inbox/")), None)
        yield Finding(what=what, state="well", found=f"{storage.url} can be read")
        yield from _created_once(storage)
        yield from _lives_long_enough(storage)
        yield from _refused_requests(storage)
    except (SettingsError, StorageError, OSError) as error:
        advice = "Check STORAGE_URL, the credentials and the network (docs/storage.md)."
        yield Finding(what=what, state="broken", found=str(error), advice=advice)


def _created_once(storage: Storage) -> Iterator[Finding]:
    """Check that only one of two creations succeeds, directly and through a worker's URL.

    Idempotency rests on this: without it a job may be paid for twice.
    """
    key = f"work/.doctor/{token_hex(8)}"
    signed = storage.address(key, "create", timedelta(minutes=5))
    ways: dict[str, Callable[[], bool]] = {"": lambda: storage.create(key, b"1")}
    if signed.url.startswith("http"):
        ways[" through a signed URL"] = lambda: _sent(signed)
    for way, create in ways.items():
        try:
            won = (create(), create())
        finally:
            with suppress(StorageError):
                storage.delete(key)
        yield Finding(
            what="bucket",
            state="well" if won == (True, False) else "broken",
            found=f"{sum(won)} of two attempts to create the same object{way} succeeded",
            advice=""
            if won == (True, False)
            else "Use a store with conditional writes; without them a job may be paid for twice.",
        )


def _sent(address: Address) -> bool:
    """Return whether the object was created, False if it exists; no error shows the URL."""
    import httpx

    try:
        answer = httpx.request(
            address.method, address.url, headers=address.headers, content=b"1", timeout=20
        )
    except httpx.HTTPError as error:
        raise StorageError(f"A signed URL does not work: {type(error).__name__}") from None
    if not answer.is_success and answer.status_code not in _EXISTS:
        raise StorageError(
            f"A signed URL was refused with status {answer.status_code}. The key that signs needs "
            "write permission, and this machine's clock must be right."
        )
    return answer.is_success


def _refused_requests(storage: Storage) -> Iterator[Finding]:
    """Report work requests that were moved aside."""
    for refused in read_refused(storage):
        yield Finding(
            what="bucket",
            state="odd",
            found=f"the work request {refused.key!r} {refused.reason}",
            advice=refused.advice,
        )


def _lives_long_enough(storage: Storage) -> Iterator[Finding]:
    """Check the lifetime of signed URLs: a job that takes longer is paid for and lost."""
    life = storage.address_life()
    if life is None:
        return
    hours, short = life.total_seconds() / 3600, life < _SHORT_LIFE
    advice = (
        "Jobs that may take longer are not submitted. Lower QUEUE_LIMIT_SECONDS and "
        "JOB_TIMEOUT_SECONDS, or sign with a long-lived key (docs/storage.md)."
    )
    yield Finding(
        what="bucket",
        state="odd" if short else "well",
        found=f"signed URLs for workers are valid for at most {hours:.1f} h",
        advice=advice if short else "",
    )
