"""The ledger and the marts for questions in SQL, and nothing else within reach."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from resources.ledger import INSTANCES, lock_in

from .database import MEMORY_LIMIT
from .reading import read_only

_MARTS = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts' ORDER BY 1"


@contextmanager
def open_for_questions(path: Path, bucket: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads alone and is locked in: no file, no network, no setting.

    Without a schema: the marts, as far as they are built; `attempts`, each once, the last word
    on it; `instances`, each worker's life once. With one: all that the database holds.

    Raises:
        CostsNotBuiltError: there is no database, nothing was loaded, or it is of another bucket.
        CostsBusyError: it is being built.
    """
    with read_only(path, "ledger.attempts", bucket) as connection:
        for view in _views(connection):
            connection.execute(view)
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        lock_in(connection)
        yield connection


def _views(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    yield "CREATE TEMP VIEW attempts AS SELECT * EXCLUDE (load_id) FROM ledger.attempts"
    yield f"CREATE TEMP VIEW instances AS {INSTANCES.format(source='FROM ledger.sessions')}"
    for (name,) in connection.execute(_MARTS).fetchall():
        yield f"CREATE TEMP VIEW {name} AS FROM marts.{name}"
