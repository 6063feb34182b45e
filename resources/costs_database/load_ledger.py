"""Loading new files of the bucket's ledger into the costs database.

Each batch of files is one transaction: its rows, the days that they change, and the files' names.
After a kill at any point, the next load continues.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from escriba.billing.cost_tags import TagRule
from escriba.billing.permissions import SpendLimits
from resources.ledger.files import fetch, ledger_files, local_path
from resources.ledger.schema_faults import check_columns, damaged
from resources.ledger.synthetic_mark import is_synthetic
from resources.ledger.tables import LEDGER, LedgerTable
from resources.storage.base import Storage, StoredObject

from .changed_days import record_changed_days
from .database import columns, costs_lock, open_database
from .database_file import is_damage, remove

_BATCH_FILES = 1_000
_BATCH_BYTES = 256_000_000  # of Parquet; a batch is on the local disk, and merged in one step


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of a load."""

    files: int
    rows: int
    load_id: int


def load_ledger(
    storage: Storage,
    path: Path,
    limits: Mapping[str, SpendLimits],
    tag_rules: Sequence[TagRule] | None = None,
) -> Loaded:
    """Load everything from the bucket that is not in the database yet.

    limits: of 'all' and of each tenant with its own; they replace the earlier ones, as tag_rules
    do. None: the earlier ones stay.

    A damaged database is recreated from the bucket.

    Raises:
        StorageError: a file is damaged; names its key. Files loaded before it stay.
        CostsBusyError: another program has the database open.
        SettingsError: COSTS_DATABASE names a foreign file, or a file that cannot be created.
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
    limits: Mapping[str, SpendLimits],
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
) -> Iterator[tuple[list[StoredObject], Path]]:
    """New files, downloaded; if one has disappeared, its rows are in a newer file: list again."""
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


def _portions(files: Sequence[StoredObject]) -> Iterator[list[StoredObject]]:
    batch: list[StoredObject] = []
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
    files: Sequence[StoredObject],
    folder: Path,
) -> int:
    """Load a batch in one transaction; returns the number of new or changed rows."""
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
    """Fill the temporary table `incoming` with the files' rows; returns their number per file."""
    fields = ", ".join(f"{name} {kind}" for name, kind in columns(table).items())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE incoming ({fields}, from_file VARCHAR)")
    if not paths:
        return {}
    read = """
        INSERT INTO incoming BY NAME SELECT * RENAME (filename AS from_file) FROM
        read_parquet(?, union_by_name = true, filename = true, hive_partitioning = false)
    """
    try:
        check_columns(connection, table, paths)
        connection.execute(read, [list(paths)])
    except duckdb.Error as error:
        raise damaged(table, paths) from error
    counts = connection.execute("SELECT from_file, count(*) FROM incoming GROUP BY 1").fetchall()
    return {paths[path]: count for path, count in counts}


def _merge(connection: duckdb.DuckDBPyConnection, table: LedgerTable, load_id: int) -> int:
    """Keep the current row of each key; returns the number of new or changed rows.

    Unchanged rows keep their load_id, and touch no day.
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
    record_changed_days(connection, table, load_id)
    [(count,)] = connection.execute("SELECT count(*) FROM coming").fetchall()
    return int(count)


def _limit_rows(limits: Mapping[str, SpendLimits]) -> list[tuple[Any, ...]]:
    return [(scope, one.day_usd, one.month_usd) for scope, one in sorted(limits.items())]


def _replace(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    """Replace the rows of a table with those of the current settings."""
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
