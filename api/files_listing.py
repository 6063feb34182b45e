"""Lists tenants, recordings and files for the files page, one page at a time.

A bucket may hold a million recordings, so no page reads more than MOST_KEYS keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from escriba.transcripts.render_options import FORMATS
from resources.storage.base import Storage, StoredObject

TRANSCRIPTS = "transcripts/"
RECORDINGS_A_PAGE = 100
MOST_TENANTS = 30
MOST_KEYS = 5_000
_AFTER_SLASH = "0"  # the character after "/": it sorts after all keys of a folder
_ORDER = [*FORMATS.values()]


@dataclass
class Listed:
    """A recording and its files, or a single file."""

    tenant: str
    path: str
    modified: datetime
    keys: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ListingPage:
    """A page of the entries below a prefix. after: where the next page begins, or empty."""

    prefix: str
    listed: tuple[Listed, ...]
    after: str = ""


def tenants(storage: Storage) -> list[str]:
    """Return the first tenants with transcripts; makes one request to the store for each."""
    found: list[str] = []
    after = ""
    while len(found) < MOST_TENANTS:
        stored = next(_objects(storage, TRANSCRIPTS, after), None)
        if stored is None:
            break
        tenant, slash, _ = stored.key.removeprefix(TRANSCRIPTS).partition("/")
        if slash:
            found.append(tenant)
        after = f"{TRANSCRIPTS}{tenant}{_AFTER_SLASH}" if slash else stored.key
    return found


def recordings(storage: Storage, prefix: str, after: str = "") -> ListingPage:
    """Return recordings below a prefix of transcripts/, sorted by key."""
    found: dict[str, Listed] = {}
    last = ""
    for stored in islice(_objects(storage, prefix, after), MOST_KEYS):
        folder = stored.key.rpartition("/")[0]
        if folder not in found and len(found) == RECORDINGS_A_PAGE:
            return ListingPage(prefix, _sorted(found), last)
        tenant, _, path = folder.removeprefix(TRANSCRIPTS).partition("/")
        one = found.setdefault(folder, Listed(tenant, path, stored.modified))
        one.keys.append(stored.key)
        one.modified = max(one.modified, stored.modified)
        last = stored.key
    count = sum(len(one.keys) for one in found.values())
    return ListingPage(prefix, _sorted(found), last if count == MOST_KEYS else "")


def files(storage: Storage, prefix: str, after: str = "") -> ListingPage:
    """Return files directly below a prefix, such as digests/."""
    found = [
        Listed("", stored.key.removeprefix(prefix), stored.modified, [stored.key])
        for stored in islice(_objects(storage, prefix, after), RECORDINGS_A_PAGE + 1)
    ]
    more = len(found) > RECORDINGS_A_PAGE
    shown = found[:RECORDINGS_A_PAGE]
    return ListingPage(prefix, tuple(shown), shown[-1].keys[0] if more else "")


def _objects(storage: Storage, prefix: str, after: str) -> Iterator[StoredObject]:
    return (one for one in storage.list(prefix, after) if isinstance(one, StoredObject))


def _sorted(found: dict[str, Listed]) -> tuple[Listed, ...]:
    for one in found.values():
        one.keys.sort(key=lambda key: _rank(key.rpartition("/")[2]))
    return tuple(found.values())


def _rank(file: str) -> tuple[int, str]:
    return (_ORDER.index(file) if file in _ORDER else len(_ORDER), file)
