"""Old days of the ledger as one file each, so that a year is hundreds of files, not millions.

The new file is written before the old ones are deleted, and comes after them in the order of
keys (resources/ledger_files.py). Whoever reads meanwhile finds rows in one of both or in both,
and counts them once. Killed anywhere, both are there, and the next night goes on.
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

from resources.ledger_faults import damaged, hold_columns
from resources.ledger_files import fetch, ledger_files, local_path
from resources.ledger_tables import LEDGER, LedgerTable
from resources.ledger_writer import schema
from resources.spent_days import compact_spent, has_old_spent
from resources.storage.base import Storage, StorageError, Stored

# attempts take hours, their runs two days at most, and every clock is wrong by something
SETTLED_DAYS = 7
_TIMES = re.compile(r"/z-(\d{6})-[0-9a-f]+\.parquet$")  # how often its rows were put together


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was put together. troubles: days that were left as they are, and why."""

    days: int
    files_before: int
    troubles: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """In a line."""
        left = f"; {len(self.troubles)} left as they are" if self.troubles else ""
        return f"{self.files_before:,} files of {self.days:,} days are one a day now{left}."


def compact_ledger(
    storage: Storage, now: datetime, *, settled_days: int = SETTLED_DAYS
) -> Compacted:
    """Every day that began more than `settled_days` ago: attempts, lives, invoices, spent money."""
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
    """Whether there is a day to be put together; one listing, and no more of it than needed."""
    border = _border(now, settled_days)
    tables = (next(_old_days(storage, table, border), None) for table in LEDGER)
    return any(found is not None for found in tables) or has_old_spent(storage, border)


def _border(now: datetime, settled_days: int) -> date:
    return (now.astimezone(UTC) - timedelta(days=settled_days)).date()


def _old_days(
    storage: Storage, table: LedgerTable, border: date
) -> Iterator[tuple[str, list[Stored]]]:
    """Folders of days before the border that have more than one file."""
    by_folder = groupby(ledger_files(storage, table.folder), lambda f: f.key.rpartition("/")[0])
    end = f"{table.folder}date={border:%Y-%m-%d}"
    for folder, found in by_folder:
        files = list(found)
        if folder.startswith(f"{table.folder}date=") and folder < end and len(files) > 1:
            yield folder, files


def _compact(storage: Storage, table: LedgerTable, folder: str, files: list[Stored]) -> str:
    """One day; why it was left as it is, or nothing."""
    with TemporaryDirectory(prefix="escriba-compact-") as name:
        place = Path(name)
        if fetch(storage, files, place):
            return f"{folder} changed while it was read; the next time."
        made = place / "made.parquet"
        keys = {str(local_path(place, file)): file.key for file in files}
        try:
            _put_together(table, keys, made)
        except StorageError as error:
            return f"{folder} is left as it is. {error}"
        except duckdb.Error:
            return f"{folder} is left as it is. {damaged(table, keys)}"
        storage.upload(f"{folder}/{_name(files)}", made)
    for file in files:
        storage.delete(file.key)
    return ""


def _put_together(table: LedgerTable, keys: Mapping[str, str], made: Path) -> None:
    """The last word on each key, with the columns of today."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("nothing", schema(table.kind).empty_table())
        hold_columns(connection, table, keys)
        connection.execute("SET VARIABLE paths = ?", [list(keys)])
        every = (
            "SELECT * FROM nothing UNION ALL BY NAME SELECT * FROM read_parquet("
            "getvariable('paths'), union_by_name = true, hive_partitioning = false)"
        )
        connection.execute(
            f"COPY ({table.latest(every)} ORDER BY {table.key}) "
            f"TO '{made}' (FORMAT parquet, COMPRESSION zstd)"
        )


def _name(files: Iterable[Stored]) -> str:
    """After all that it is made of, in the order of keys; the same of the same files."""
    keys = [file.key for file in files]
    told = hashlib.sha256("\n".join(keys).encode()).hexdigest()[:24]
    times = [int(found[1]) for key in keys if (found := _TIMES.search(key))]
    return f"z-{max(times, default=0) + 1:06d}-{told}.parquet"
