"""The costs database for those who only ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from .database import CostsBusyError


class CostsNotBuiltError(RuntimeError):
    """A table is not there yet; says how to make it."""


@contextmanager
def read_only(path: Path, needs: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that changes nothing; times are UTC. needs: schema.table that must be there.

    Raises:
        CostsNotBuiltError: the database or that table is missing.
        CostsBusyError: it is being built.
    """
    if not path.exists():
        raise CostsNotBuiltError(f"COSTS_DATABASE: there is no {path} yet: build it first.")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        raise CostsBusyError(f"COSTS_DATABASE: {path} is being built: try again later.") from error
    with connection:
        connection.execute("SET TimeZone = 'UTC'")
        if needs and not _has(connection, needs):
            raise CostsNotBuiltError(f"COSTS_DATABASE: {path} has no {needs} yet: build it first.")
        yield connection


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
