"""Copying the marts and one row per job into PostgreSQL, for other programs.

A digest of each day, compared with the one sent last time, shows which days differ; only those are
copied. A mirroring is one transaction: after a kill nothing has changed, and readers see the old
rows until the new ones are complete.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import psycopg2
from psycopg2 import sql

from escriba.errors import EscribaError

from .mirror_tables import SCHEMA, MirrorTable, mirror_tables
from .read_only import read_only

_LOCK = 0x65736372  # 'escr': concurrent mirrorings into one database wait for each other
_DIGESTS = "mirrored_days"
_ALL = "all"
_PREPARE = f"""
    CREATE SCHEMA IF NOT EXISTS {SCHEMA};
    CREATE TABLE IF NOT EXISTS {SCHEMA}.{_DIGESTS}
        (table_name text, day text, digest text, PRIMARY KEY (table_name, day))
"""


class MirrorError(EscribaError, RuntimeError):
    """PostgreSQL cannot be reached, or refuses; names the setting, never its value."""


@dataclass(frozen=True, slots=True)
class Mirrored:
    """The result of a mirroring. days: the differing days; rows: their rows."""

    tables: int
    days: int
    rows: int

    @property
    def headline(self) -> str:
        """The result as one line."""
        return f"{self.tables} tables in PostgreSQL; {self.rows:,} rows were new or changed."


def mirror_costs(database: Path, url: str) -> Mirrored:
    """Make PostgreSQL's schema `costs` equal to the marts and the jobs.

    Raises:
        CostsNotBuiltError: the marts do not exist yet.
        CostsBusyError: the marts are being built.
        MirrorError: PostgreSQL cannot be reached, or refuses.
    """
    try:
        with (
            read_only(database, "marts.daily_spend") as costs,
            closing(psycopg2.connect(_sound(url))) as postgres,
            postgres,
            postgres.cursor() as cursor,
        ):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            cursor.execute(_PREPARE)
            tables = mirror_tables(costs)
            sent = [_mirror(costs, cursor, table) for table in tables]
    except psycopg2.Error as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise MirrorError(f"COSTS_POSTGRES_URL: PostgreSQL refuses: {lines[0]}") from None
    days, rows = (sum(part) for part in zip(*sent, strict=True))
    return Mirrored(len(tables), days, rows)


def _sound(url: str) -> str:
    """The URL, unless PostgreSQL's library could repeat a part of it in an error."""
    try:
        parts = psycopg2.extensions.parse_dsn(url)
    except psycopg2.Error:
        parts = {}
    port, host = parts.get("port", "5432"), parts.get("host", "")
    is_sound = bool(parts) and "@" not in host and port.isdigit()
    if not is_sound:
        raise MirrorError(
            "COSTS_POSTGRES_URL is not valid. Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
            "with @, / and % in a password as %40, %2F and %25."
        )
    return url


def _mirror(costs: duckdb.DuckDBPyConnection, cursor: Any, table: MirrorTable) -> tuple[int, int]:  # noqa: ANN401
    """Mirror one table; returns the numbers of days and rows that were sent."""
    _shape(cursor, table)
    cursor.execute(
        sql.SQL("SELECT day, digest FROM {} WHERE table_name = %s").format(_name(_DIGESTS)),
        [table.name],
    )
    there, here = dict(cursor.fetchall()), dict(_digests(costs, table))
    changed = sorted(day for day in there.keys() | here.keys() if there.get(day) != here.get(day))
    if not changed:
        return 0, 0
    _forget(cursor, table, changed)
    rows = _copy(costs, cursor, table, [day for day in changed if day in here])
    cursor.executemany(
        sql.SQL("INSERT INTO {} VALUES (%s, %s, %s)").format(_name(_DIGESTS)),
        [(table.name, day, here[day]) for day in changed if day in here],
    )
    return len(changed), rows


def _shape(cursor: Any, table: MirrorTable) -> None:  # noqa: ANN401
    """Create the table with exactly these columns; one with others is recreated."""
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s "
        "AND table_name = %s ORDER BY ordinal_position",
        [SCHEMA, table.name],
    )
    found = [name for (name,) in cursor.fetchall()]
    if found == list(table.columns):
        return
    cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_name(table.name)))
    cursor.execute(
        sql.SQL("DELETE FROM {} WHERE table_name = %s").format(_name(_DIGESTS)), [table.name]
    )
    fields = sql.SQL(", ").join(
        sql.SQL("{} " + kind).format(sql.Identifier(column))
        for column, kind in table.columns.items()
    )
    cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(_name(table.name), fields))
    if table.day:
        cursor.execute(
            sql.SQL("CREATE INDEX ON {} ({})").format(_name(table.name), sql.Identifier(table.day))
        )
    if "job_id" in table.columns:
        cursor.execute(
            sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (tenant, job_id)").format(_name(table.name))
        )


def _digests(costs: duckdb.DuckDBPyConnection, table: MirrorTable) -> Iterator[tuple[str, str]]:
    """A digest of the rows of each day, independent of their order."""
    day = f"{table.day}::VARCHAR" if table.day else f"'{_ALL}'"
    found = costs.execute(
        f"SELECT {day}, count(*)::VARCHAR || ':' || bit_xor(hash(mine))::VARCHAR "  # noqa: S608
        f"|| ':' || sum(hash(mine))::VARCHAR FROM ({table.query}) AS mine GROUP BY 1"
    ).fetchall()
    yield from found


def _forget(cursor: Any, table: MirrorTable, days: list[str]) -> None:  # noqa: ANN401
    where: sql.Composable = sql.SQL("")
    if table.day:
        where = sql.SQL("WHERE {} = ANY(%s::date[])").format(sql.Identifier(table.day))
    cursor.execute(
        sql.SQL("DELETE FROM {} ").format(_name(table.name)) + where, [days] if table.day else None
    )
    cursor.execute(
        sql.SQL("DELETE FROM {} WHERE table_name = %s AND day = ANY(%s)").format(_name(_DIGESTS)),
        [table.name, days],
    )


def _copy(
    costs: duckdb.DuckDBPyConnection,
    cursor: Any,  # noqa: ANN401
    table: MirrorTable,
    days: list[str],
) -> int:
    """COPY the days into a staging table, and insert them from there in one statement."""
    if not days:
        return 0
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    cursor.execute(
        sql.SQL("CREATE TEMP TABLE staging (LIKE {}) ON COMMIT DROP").format(_name(table.name))
    )
    where = f"WHERE {table.day}::VARCHAR IN (SELECT unnest($days))" if table.day else ""
    with TemporaryDirectory(prefix="escriba-mirror-") as folder:
        path = Path(folder) / f"{table.name}.csv"
        costs.execute(
            f"COPY (SELECT * FROM ({table.query}) {where}) TO '{path}' (FORMAT csv, HEADER false)",  # noqa: S608
            {"days": days} if table.day else None,
        )
        with path.open("rb") as file:
            copy = sql.SQL("COPY staging ({}) FROM STDIN (FORMAT csv)").format(columns)
            cursor.copy_expert(copy, file)
    cursor.execute(sql.SQL("INSERT INTO {} SELECT * FROM staging").format(_name(table.name)))
    rows = int(cursor.rowcount)
    cursor.execute("DROP TABLE staging")
    return rows


def _name(table: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, table)
