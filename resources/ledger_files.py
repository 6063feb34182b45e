"""Files of the ledger on their way to this machine, while others add to it and compact it.

Compaction writes the new file before it deletes the old ones, so whoever finds a file gone looks
again: what was in it lies in another file by then. Rows that are met twice count once.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .storage.base import Storage, StorageError, Stored

_READERS = 16
_LOOKS = 10  # compactions go by days: a folder that changes under each look is a fault


def ledger_files(storage: Storage, folder: str, after: str = "") -> list[Stored]:
    """The files of a table, in the order of their keys.

    A folder of a disk is not listed in one moment: a compaction could be missed on both sides,
    so it is listed twice. Stores list in the order of keys, and what compaction makes comes
    after all that it is made of.
    """
    found = _listed(storage, folder, after)
    if not storage.whole_at_once:
        found |= _listed(storage, folder, after)
    return [found[key] for key in sorted(found)]


def fetch_all(
    storage: Storage,
    look: Callable[[], Sequence[Stored]],
    into: Path,
) -> dict[Path, str]:
    """Every file that `look` finds, as a file on this machine, and its key.

    Raises:
        StorageError: files vanish faster than they can be read.
    """
    have: dict[Path, str] = {}
    for _ in range(_LOOKS):
        missing = [file for file in look() if _path(into, file.key) not in have]
        gone = fetch(storage, missing, into)
        have |= {_path(into, f.key): f.key for f in missing if f.key not in gone}
        if not gone:
            return have
    raise StorageError("The ledger's files vanish while they are read: is something deleting them?")


def fetch(storage: Storage, files: Iterable[Stored], into: Path) -> set[str]:
    """Copies of files; the keys of those that are gone since they were listed."""
    keys = [file.key for file in files]
    with ThreadPoolExecutor(_READERS) as pool:
        came = pool.map(lambda key: _fetch(storage, key, _path(into, key)), keys)
        return {key for key, has_come in zip(keys, came, strict=True) if not has_come}


def local_path(into: Path, file: Stored) -> Path:
    """Where `fetch` puts it."""
    return _path(into, file.key)


def unreadable(paths: Iterable[Path]) -> list[Path]:
    """Those of fetched files that are no sound Parquet."""
    import duckdb  # noqa: PLC0415

    bad = []
    with duckdb.connect() as connection:
        for path in paths:
            try:
                connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
            except duckdb.Error:
                bad.append(path)
    return bad


def _listed(storage: Storage, folder: str, after: str) -> dict[str, Stored]:
    return {
        found.key: found
        for found in storage.list(folder, after)
        if isinstance(found, Stored) and found.key.endswith(".parquet")
    }


def _path(into: Path, key: str) -> Path:
    return into / key.replace("/", "~")


def _fetch(storage: Storage, key: str, path: Path) -> bool:
    data = storage.read(key)
    if data is None:
        return False
    path.write_bytes(data)
    return True
