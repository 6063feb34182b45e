"""Compaction: one ledger file per old day, so that a year has hundreds of files, not millions.

The new file is written before the old ones are deleted, and sorts after them
(resources/ledger/files.py). A concurrent reader finds each row at least once, and counts it once.
After a kill at any point both exist, and the next run continues.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from resources.ledger.files import fetch, ledger_files, local_path
from resources.ledger.schema_faults import check_columns, damaged
from resources.ledger.tables import LEDGER, LedgerTable, schema
from resources.spending.spent_days import compact_spent, has_old_spent
from resources.storage.base import Storage, StorageError, StoredObject

# attempts take hours, their runs at most two days, and no clock is exact
SETTLED_DAYS = 7
_TIMES = re.compile(r"/z-(\d{6})-[0-9a-f]+\.parquet$")  # how often its rows were compacted


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was compacted. troubles: days that were left unchanged, and why."""

    days: int
    files_before: int
    troubles: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The result as one line."""
        left = f"; {len(self.troubles)} days left unchanged" if self.troubles else ""
        return f"Compacted {self.files_before:,} files of {self.days:,} days to one a day{left}."


def compact_ledger(
    storage: Storage, now: datetime, *, settled_days: int = SETTLED_DAYS
) -> Compacted:
    """Compact every day that began more than `settled_days` ago, in all ledger tables."""
    border = _border(now, settled_days)
    days = files = 0
    troubles = []
    for table in LEDGER:
        for folder, of_day in _old_days(storage, table, border):
            trouble = _compact(storage, table, folder, of_day)
            if trouble:
                troubles.append(trouble)
            else:
                days, files = days + 1, files + len(of_day)
    spent_days, spent_files = compact_spent(storage, border)
    return Compacted(days + spent_days, files + spent_files, tuple(troubles))


def needs_compaction(storage: Storage, now: datetime, *, settled_days: int = SETTLED_DAYS) -> bool:
    """Whether any day needs compaction; reads no more of the listing than necessary."""
    border = _border(now, settled_days)
    tables = (next(_old_days(storage, table, border), None) for table in LEDGER)
    return any(found is not None for found in tables) or has_old_spent(storage, border)


def _border(now: datetime, settled_days: int) -> date:
    return (now.astimezone(UTC) - timedelta(days=settled_days)).date()


def _old_days(
    storage: Storage, table: LedgerTable, border: date
) -> Iterator[tuple[str, list[StoredObject]]]:
    """Folders of days before the border with more than one file."""
    by_folder = groupby(ledger_files(storage, table.folder), lambda f: f.key.rpartition("/")[0])
    end = f"{table.folder}date={border:%Y-%m-%d}"
    for folder, found in by_folder:
        files = list(found)
        if folder.startswith(f"{table.folder}date=") and folder < end and len(files) > 1:
            yield folder, files


def _compact(storage: Storage, table: LedgerTable, folder: str, files: list[StoredObject]) -> str:
    """Compact one day; returns why it was left unchanged, or ""."""
    with TemporaryDirectory(prefix="escriba-compact-") as name:
        place = Path(name)
        if fetch(storage, files, place):
            return f"{folder} changed while it was read; the next run compacts it."
        made = place / "made.parquet"
        keys = {str(local_path(place, file)): file.key for file in files}
        try:
            _combine(table, keys, made)
        except StorageError as error:
            return f"{folder} is left unchanged. {error}"
        except duckdb.Error:
            return f"{folder} is left unchanged. {damaged(table, keys)}"
        storage.upload(f"{folder}/{_name(files)}", made)
    for file in files:
        storage.delete(file.key)
    return ""


def _combine(table: LedgerTable, keys: Mapping[str, str], made: Path) -> None:
    """Write the current row of each key, with the columns of this version."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("nothing", schema(table.kind).empty_table())
        check_columns(connection, table, keys)
        connection.execute("SET VARIABLE paths = ?", [list(keys)])
        every = (
            "SELECT * FROM nothing UNION ALL BY NAME SELECT * FROM read_parquet("
            "getvariable('paths'), union_by_name = true, hive_partitioning = false)"
        )
        connection.execute(
            f"COPY ({table.latest(every)} ORDER BY {table.key}) "
            f"TO '{made}' (FORMAT parquet, COMPRESSION zstd)"
        )


def _name(files: Iterable[StoredObject]) -> str:
    """A name that sorts after all source files, and is the same for the same files."""
    keys = [file.key for file in files]
    digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()[:24]
    times = [int(found[1]) for key in keys if (found := _TIMES.search(key))]
    return f"z-{max(times, default=0) + 1:06d}-{digest}.parquet"
