"""SQL queries on the ledger and the marts, without access to anything else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from resources.ledger.queries import INSTANCES, lock_down

from .database import MEMORY_LIMIT
from .read_only import read_only

_MARTS = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts' ORDER BY 1"


@contextmanager
def open_for_queries(path: Path, bucket: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection without access to files, the network or settings.

    Names without a schema: the marts that are built; `attempts`, the current row of each;
    `instances`, one row per worker session. With a schema: everything in the database.

    Raises:
        CostsNotBuiltError: there is no database, nothing is loaded, or it is of another bucket.
        CostsBusyError: it is being built.
    """
    with read_only(path, "ledger.attempts", bucket) as connection:
        for view in _views(connection):
            connection.execute(view)
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        lock_down(connection)
        yield connection


def _views(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    yield "CREATE TEMP VIEW attempts AS SELECT * EXCLUDE (load_id) FROM ledger.attempts"
    yield f"CREATE TEMP VIEW instances AS {INSTANCES.format(source='FROM ledger.sessions')}"
    for (name,) in connection.execute(_MARTS).fetchall():
        yield f"CREATE TEMP VIEW {name} AS FROM marts.{name}"
