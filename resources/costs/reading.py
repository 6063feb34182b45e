"""The costs database for those who only ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from .database import bucket_of
from .standing import CostsDamagedError, CostsNotBuiltError, connect, hold_ours, is_damage


@contextmanager
def read_only(path: Path, needs: str = "", bucket: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that changes nothing; times are UTC.

    needs: schema.table that must be there. bucket: whose ledger it must be, where that is known.

    Raises:
        CostsNotBuiltError: the database or that table is missing, or it is another bucket's.
        CostsBusyError: it is being built.
        CostsDamagedError: it has to be made anew.
        SettingsError: the file is not ours.
    """
    if not path.exists():
        raise CostsNotBuiltError(f"COSTS_DATABASE: there is no {path} yet: build it first.")
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
    """Whether its ledger is made up, as its bucket was marked at the last load."""
    return bool(connection.execute("FROM ledger.bucket WHERE is_synthetic").fetchall())


def _check(connection: duckdb.DuckDBPyConnection, path: Path, needs: str, bucket: str) -> None:
    hold_ours(connection, path)
    whose = bucket_of(connection) if _has(connection, "ledger.bucket") else ""
    if whose != bucket and bucket:
        raise CostsNotBuiltError(
            f"COSTS_DATABASE: {path} is of {whose or 'no bucket'}: build it anew, of {bucket}."
        )
    if needs and not _has(connection, needs):
        raise CostsNotBuiltError(f"COSTS_DATABASE: {path} has no {needs} yet: build it first.")


def row_counts(path: Path, schema: str) -> dict[str, int]:
    """How many rows each table of a schema has.

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
