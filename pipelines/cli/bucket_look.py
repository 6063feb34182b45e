"""What `escriba doctor` finds of the bucket: that it can be read, and that only one creates."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from secrets import token_hex

from gpu_job.contract import Address
from pipelines.settings import Settings, SettingsError
from resources.storage import open_storage
from resources.storage.base import Storage, StorageError

from .findings import Finding

_EXISTS = (409, 412)
_SHORT_LIFE = timedelta(hours=24)


def bucket(settings: Settings) -> Iterator[Finding]:
    """Listing, reading, that of two creators only one can win, and how long addresses live."""
    what = "bucket"
    try:
        storage = open_storage(settings)
        next(iter(storage.list("inbox/")), None)
        yield Finding(what=what, state="well", found=f"{storage.url} can be read")
        yield from _created_once(storage)
        yield from _lives_long_enough(storage)
    except (SettingsError, StorageError, OSError) as error:
        advice = "Check STORAGE_URL, the credentials and the network (docs/storage.md)."
        yield Finding(what=what, state="broken", found=str(error), advice=advice)


def _created_once(storage: Storage) -> Iterator[Finding]:
    """That of two only one creates: by our own hand, and by a worker's address (paid once)."""
    key = f"work/.doctor/{token_hex(8)}"
    signed = storage.address(key, "create", timedelta(minutes=5))
    ways = {"": lambda: storage.create(key, b"1")}
    if signed.url.startswith("http"):
        ways[" by a signed address"] = lambda: _sent(signed)
    for way, create in ways.items():
        try:
            won = (create(), create())
        finally:
            with suppress(StorageError):
                storage.delete(key)
        yield Finding(
            what="bucket",
            state="well" if won == (True, False) else "broken",
            found=f"of two that create one object{way}, {sum(won)} won",
            advice=""
            if won == (True, False)
            else "Without conditional writes a job may be paid twice: use a store that has them.",
        )


def _sent(address: Address) -> bool:
    """Whether the object was created, or False where it exists; no error shows the address."""
    import httpx

    try:
        answer = httpx.request(
            address.method, address.url, headers=address.headers, content=b"1", timeout=20
        )
    except httpx.HTTPError as error:
        raise StorageError(f"A signed address does not work: {type(error).__name__}") from None
    if not answer.is_success and answer.status_code not in _EXISTS:
        raise StorageError(
            f"A signed address was refused with status {answer.status_code}: who signs needs "
            "leave to write, and this machine's clock must be right."
        )
    return answer.is_success


def _lives_long_enough(storage: Storage) -> Iterator[Finding]:
    """A job that waits and runs longer than its addresses live is paid for and lost."""
    life = storage.address_life()
    if life is None:
        return
    hours, short = life.total_seconds() / 3600, life < _SHORT_LIFE
    advice = (
        "Jobs that may wait and run longer are not submitted: lower QUEUE_LIMIT_SECONDS and "
        "JOB_TIMEOUT_SECONDS, or sign with a key of its own (docs/storage.md)."
    )
    yield Finding(
        what="bucket",
        state="odd" if short else "well",
        found=f"a worker's addresses live for {hours:.1f} h at most",
        advice=advice if short else "",
    )
