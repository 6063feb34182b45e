"""The bucket's ledger on its way into the costs database, by what is new.

Each batch of files is one transaction: its rows, the days that they change, and the files' names.
Killed anywhere, the next load goes on where this one ended.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from pipelines.billing.policy import Limits
from pipelines.billing.tags import TagRule
from resources.ledger_faults import damaged, hold_columns
from resources.ledger_files import fetch, ledger_files, local_path
from resources.ledger_tables import LEDGER, LedgerTable
from resources.storage.base import Storage, Stored
from resources.synthetic import is_synthetic

from .database import columns, costs_lock, open_database
from .standing import is_damage, remove
from .touching import touch_days

_BATCH_FILES = 1_000
_BATCH_BYTES = 256_000_000  # of Parquet; a batch is on the disk here, and merged in one go


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load brought."""

    files: int
    rows: int
    load_id: int


def load_ledger(
    storage: Storage,
    path: Path,
    limits: Mapping[str, Limits],
    tag_rules: Sequence[TagRule] | None = None,
) -> Loaded:
    """Everything that is in the bucket and not yet in the database.

    limits: of 'all' and of each tenant that has its own; they replace those from before, as
    tag_rules do. None: those from before stay.

    A database that turns out to be damaged is made anew: the bucket has all of it.

    Raises:
        StorageError: a file is damaged; names its key. What was loaded before it stays.
        CostsBusyError: another program has the database open.
        SettingsError: COSTS_DATABASE names what is not ours, or no place for a file.
    """
    with costs_lock(path):
        try:
            return _load_all(storage, path, limits, tag_rules)
        except duckdb.Error as error:
            if not is_damage(error):
                raise
        remove(path)
        return _load_all(storage, path, limits, tag_rules)


def _load_all(
    storage: Storage,
    path: Path,
    limits: Mapping[str, Limits],
    tag_rules: Sequence[TagRule] | None,
) -> Loaded:
    files = rows = 0
    with open_database(path, storage.url) as connection:
        _note_bucket(connection, storage)
        for table in LEDGER:
            for batch, folder in _batches(storage, connection, table):
                files += len(batch)
                rows += _load(connection, table, batch, folder)
        _replace(connection, "limits", _limit_rows(limits))
        if tag_rules is not None:
            _replace(connection, "tag_rules", [dataclasses.astuple(one) for one in tag_rules])
        return Loaded(files, rows, _last_load(connection))


def _note_bucket(connection: duckdb.DuckDBPyConnection, storage: Storage) -> None:
    connection.begin()
    connection.execute("DELETE FROM ledger.bucket")
    connection.execute(
        "INSERT INTO ledger.bucket VALUES (?, ?)", [storage.url, is_synthetic(storage)]
    )
    connection.commit()


def _batches(
    storage: Storage, connection: duckdb.DuckDBPyConnection, table: LedgerTable
) -> Iterator[tuple[list[Stored], Path]]:
    """Files that are new, fetched; what is gone meanwhile lies in a newer file: look again."""
    while True:
        known = {
            key
            for (key,) in connection.execute(
                "SELECT key FROM ledger.loaded_files WHERE starts_with(key, ?)", [table.folder]
            ).fetchall()
        }
        new = [file for file in ledger_files(storage, table.folder) if file.key not in known]
        vanished = False
        for batch in _portions(new):
            with TemporaryDirectory(prefix="escriba-load-") as name:
                gone = fetch(storage, batch, Path(name))
                vanished |= bool(gone)
                here = [file for file in batch if file.key not in gone]
                if here:
                    yield here, Path(name)
        if not vanished:
            return


def _portions(files: Sequence[Stored]) -> Iterator[list[Stored]]:
    batch: list[Stored] = []
    size = 0
    for file in files:
        if batch and (len(batch) >= _BATCH_FILES or size + file.size_bytes > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size_bytes
    if batch:
        yield batch


def _load(
    connection: duckdb.DuckDBPyConnection,
    table: LedgerTable,
    files: Sequence[Stored],
    folder: Path,
) -> int:
    """One transaction; the number of rows that were new or changed."""
    load_id = _last_load(connection) + 1
    connection.begin()
    try:
        counts = _read(connection, table, {str(local_path(folder, f)): f.key for f in files})
        changed = _merge(connection, table, load_id)
        now = datetime.now(UTC)
        connection.executemany(
            "INSERT INTO ledger.loaded_files VALUES (?, ?, ?, ?)",
            [(file.key, load_id, counts.get(file.key, 0), now) for file in files],
        )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return changed


def _read(
    connection: duckdb.DuckDBPyConnection, table: LedgerTable, paths: Mapping[str, str]
) -> dict[str, int]:
    """The temporary table `incoming`: the files' rows; how many each file has."""
    fields = ", ".join(f"{name} {kind}" for name, kind in columns(table).items())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE incoming ({fields}, from_file VARCHAR)")
    if not paths:
        return {}
    read = """
        INSERT INTO incoming BY NAME SELECT * RENAME (filename AS from_file) FROM
        read_parquet(?, union_by_name = true, filename = true, hive_partitioning = false)
    """
    try:
        hold_columns(connection, table, paths)
        connection.execute(read, [list(paths)])
    except duckdb.Error as error:
        raise damaged(table, paths) from error
    counts = connection.execute("SELECT from_file, count(*) FROM incoming GROUP BY 1").fetchall()
    return {paths[path]: count for path, count in counts}


def _merge(connection: duckdb.DuckDBPyConnection, table: LedgerTable, load_id: int) -> int:
    """The last word on each key, of what was there and what came; what is new or changed.

    Rows that say what was said before keep their load_id, and touch no day.
    """
    ours, key = f"ledger.{table.name}", table.key
    fields = ", ".join(columns(table))
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE contested AS
        SELECT {key} FROM incoming GROUP BY 1 HAVING count(*) > 1
        UNION SELECT {key} FROM {ours} SEMI JOIN incoming USING ({key});
        CREATE OR REPLACE TEMP TABLE won AS
        SELECT {fields}, load_id FROM (
            SELECT {fields}, NULL::BIGINT AS load_id FROM incoming SEMI JOIN contested USING ({key})
            UNION ALL BY NAME
            SELECT {fields}, load_id FROM {ours} SEMI JOIN contested USING ({key})
        ) QUALIFY row_number() OVER (
            PARTITION BY {key} ORDER BY {table.last_word}, load_id NULLS LAST
        ) = 1;
        CREATE OR REPLACE TEMP TABLE coming AS
        SELECT {fields} FROM incoming ANTI JOIN contested USING ({key})
        UNION ALL SELECT {fields} FROM won WHERE load_id IS NULL;
        CREATE OR REPLACE TEMP TABLE leaving AS
        SELECT {fields} FROM {ours} SEMI JOIN (SELECT {key} FROM won WHERE load_id IS NULL)
        USING ({key});
        DELETE FROM {ours} WHERE {key} IN (SELECT {key} FROM leaving);
        INSERT INTO {ours} BY NAME SELECT *, {load_id} AS load_id FROM coming;
    """)  # noqa: S608  # our own names
    touch_days(connection, table, load_id)
    [(count,)] = connection.execute("SELECT count(*) FROM coming").fetchall()
    return int(count)


def _limit_rows(limits: Mapping[str, Limits]) -> list[tuple[Any, ...]]:
    return [(scope, one.day_usd, one.month_usd) for scope, one in sorted(limits.items())]


def _replace(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    """What the settings say now, in the place of what they said."""
    connection.begin()
    connection.execute(f"DELETE FROM ledger.{table}")  # noqa: S608  # our own names
    if rows:
        places = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO ledger.{table} VALUES ({places})", rows)  # noqa: S608
    connection.commit()


def _last_load(connection: duckdb.DuckDBPyConnection) -> int:
    [(last,)] = connection.execute(
        "SELECT coalesce(max(load_id), 0) FROM ledger.loaded_files"
    ).fetchall()
    return int(last)
