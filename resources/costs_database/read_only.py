"""Read-only access to the costs database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from .database import bucket_of
from .database_file import CostsDamagedError, CostsNotBuiltError, check_is_ours, connect, is_damage


@contextmanager
def read_only(path: Path, needs: str = "", bucket: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection; times are UTC.

    needs: schema.table that must exist. bucket: the URL of the bucket that it must belong to, if
    known.

    Raises:
        CostsNotBuiltError: the database or that table is missing, or it is another bucket's.
        CostsBusyError: it is being built.
        CostsDamagedError: it must be recreated.
        SettingsError: the file is foreign.
    """
    if not path.exists():
        raise CostsNotBuiltError(
            f"COSTS_DATABASE: {path} does not exist yet. Build it with `escriba costs`."
        )
    with connect(path, read_only=True) as connection:
        try:
            connection.execute("SET TimeZone = 'UTC'")
            _check(connection, path, needs, bucket)
            yield connection
        except duckdb.Error as error:
            if is_damage(error):
                raise CostsDamagedError(path) from error
            raise


def is_synthetic(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether its ledger is synthetic, by the mark in its bucket at the last load."""
    return bool(connection.execute("FROM ledger.bucket WHERE is_synthetic").fetchall())


def _check(connection: duckdb.DuckDBPyConnection, path: Path, needs: str, bucket: str) -> None:
    check_is_ours(connection, path)
    built_from = bucket_of(connection) if _has(connection, "ledger.bucket") else ""
    if built_from != bucket and bucket:
        raise CostsNotBuiltError(
            f"COSTS_DATABASE: {path} was built from {built_from or 'no bucket'}, not from "
            f"{bucket}. Build it again with `escriba costs`."
        )
    if needs and not _has(connection, needs):
        raise CostsNotBuiltError(
            f"COSTS_DATABASE: {path} has no {needs} yet. Build it with `escriba costs`."
        )


def row_counts(path: Path, schema: str) -> dict[str, int]:
    """The number of rows of each table of a schema.

    Raises:
        CostsNotBuiltError: there is no database.
        CostsBusyError: it is being built.
    """
    with read_only(path) as connection:
        names = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = ?", [schema]
        ).fetchall()
        return {
            name: connection.execute(f"SELECT count(*) FROM {schema}.{name}").fetchall()[0][0]  # noqa: S608
            for (name,) in names
        }


def _has(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM information_schema.tables WHERE table_schema || '.' || table_name = ?",
        [name],
    ).fetchall()
    return bool(found)
