"""Downloading ledger files while other processes add to the ledger and compact it.

Compaction writes the new file before it deletes the old ones, so a reader that finds a file
missing lists again: its rows are in another file. Rows found twice count once.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from resources.storage.base import Storage, StorageError, StoredObject

_READERS = 16
_LOOKS = 10  # compaction goes by days: a folder that changes during every look is a fault


def ledger_files(storage: Storage, folder: str, after: str = "") -> list[StoredObject]:
    """The files of a table, in key order.

    Listing a local folder is not atomic and could miss both sides of a compaction, so it is listed
    twice. Object stores list in key order, and a compacted file sorts after its sources.
    """
    found = _listed(storage, folder, after)
    if not storage.writes_appear_whole:
        found |= _listed(storage, folder, after)
    return [found[key] for key in sorted(found)]


def fetch_all(
    storage: Storage,
    look: Callable[[], Sequence[StoredObject]],
    into: Path,
) -> dict[Path, str]:
    """Download every file that `look` lists; returns local paths and their keys.

    Raises:
        StorageError: files disappear faster than they can be read.
    """
    have: dict[Path, str] = {}
    for _ in range(_LOOKS):
        missing = [file for file in look() if _path(into, file.key) not in have]
        gone = fetch(storage, missing, into)
        have |= {_path(into, f.key): f.key for f in missing if f.key not in gone}
        if not gone:
            return have
    raise StorageError(
        "The files below ledger/ disappear while they are read. Find out what deletes them in "
        "STORAGE_URL."
    )


def fetch(storage: Storage, files: Iterable[StoredObject], into: Path) -> set[str]:
    """Download files; returns the keys of those that disappeared since they were listed."""
    keys = [file.key for file in files]
    with ThreadPoolExecutor(_READERS) as pool:
        fetched = pool.map(lambda key: _fetch(storage, key, _path(into, key)), keys)
        return {key for key, is_fetched in zip(keys, fetched, strict=True) if not is_fetched}


def local_path(into: Path, file: StoredObject) -> Path:
    """The path where `fetch` writes a file."""
    return _path(into, file.key)


def unreadable(paths: Iterable[Path]) -> list[Path]:
    """The fetched files that are not valid Parquet."""
    import duckdb  # noqa: PLC0415

    bad = []
    with duckdb.connect() as connection:
        for path in paths:
            try:
                connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
            except duckdb.Error:
                bad.append(path)
    return bad


def _listed(storage: Storage, folder: str, after: str) -> dict[str, StoredObject]:
    return {
        found.key: found
        for found in storage.list(folder, after)
        if isinstance(found, StoredObject) and found.key.endswith(".parquet")
    }


def _path(into: Path, key: str) -> Path:
    return into / key.replace("/", "~")


def _fetch(storage: Storage, key: str, path: Path) -> bool:
    data = storage.read(key)
    if data is None:
        return False
    path.write_bytes(data)
    return True
