"""`pg_dump` and `pg_restore`. A password reaches them by their environment, never by arguments."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import psycopg2
from psycopg2 import sql

from escriba.known_secrets import masked
from escriba.settings import child_environment

from .backup_error import BackupError

_VERSION: Final = re.compile(r"(\d+)(?:\.\d+)*")
_MOST_CHARACTERS: Final = 1_000  # of a tool's complaint: the end says what failed
_NAMES: Final = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
_NAMES_TOO: Final = {"dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
_RARE_NAMES: Final = {
    "hostaddr": "PGHOSTADDR",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "channel_binding": "PGCHANNELBINDING",
    "gssencmode": "PGGSSENCMODE",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


def dump(url: str, folder: str, into: Path) -> dict[str, int]:
    """Write a dump in PostgreSQL's custom format; returns the rows of each table in it.

    Both see one snapshot, so that a restored copy can be compared exactly.

    Raises:
        BackupError: the server or the tool refused; says why, without the password.
    """
    with _connected(url) as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        tool = _tool("pg_dump", folder, connection.server_version // 10_000)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_export_snapshot()")
            [snapshot] = cursor.fetchone()
        rows = _rows(connection)
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
        _run([tool, *options, f"--file={into}"], url)
    return rows


def restore(url: str, folder: str, dumped: Path) -> None:
    """Replace the tables of a database by those of a dump, in one transaction: all or nothing.

    Raises:
        BackupError: the server or the tool refused; the database is as it was.
    """
    with _connected(url) as connection:
        tool = _tool("pg_restore", folder, connection.server_version // 10_000)
    options = ["--clean", "--if-exists", "--single-transaction", "--no-owner", "--no-privileges"]
    _run([tool, *options, "--dbname=", str(dumped)], url)


def rows_of(url: str) -> dict[str, int]:
    """The rows of each table; empty for an empty database.

    Raises:
        BackupError: the server cannot be reached.
    """
    with _connected(url) as connection:
        return _rows(connection)


def other_connections(url: str) -> int:
    """How many others use the database now.

    Raises:
        BackupError: the server cannot be reached.
    """
    with _connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            # autovacuum is nobody; of other users' connections the kind is hidden
            "AND coalesce(backend_type, 'client backend') = 'client backend'"
        )
        return int(cursor.fetchone()[0])


def size_bytes(url: str) -> int:
    """The size of the database on the server's disk.

    Raises:
        BackupError: the server cannot be reached.
    """
    with _connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


@contextmanager
def scratch_database(url: str) -> Iterator[str]:
    """A new database on the same server; dropped afterwards.

    Raises:
        BackupError: the user may not create one.
    """
    name = f"escriba_verify_{token_hex(6)}"
    _command(url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield psycopg2.extensions.make_dsn(url, dbname=name)
    finally:
        _command(url, sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def care(url: str) -> None:
    """VACUUM and ANALYZE the whole database; readers and writers go on meanwhile.

    Raises:
        BackupError: the server refused.
    """
    _command(url, sql.SQL("VACUUM (ANALYZE)"))


def _command(url: str, statement: sql.Composable) -> None:
    """One statement outside of a transaction."""
    with _connected(url) as connection:
        connection.autocommit = True
        try:
            connection.cursor().execute(statement)
        except psycopg2.Error as error:
            raise _refused(error) from None


@contextmanager
def _connected(url: str) -> "Iterator[Any]":
    try:
        connection = psycopg2.connect(url)
    except psycopg2.Error as error:
        raise _refused(error) from None
    with closing(connection):
        yield connection


def _refused(error: psycopg2.Error) -> BackupError:
    reason = masked(" ".join(str(error).split()))[-_MOST_CHARACTERS:]
    return BackupError(f"DAGSTER_POSTGRES_URL: the server refused: {reason}")


def _rows(connection: Any) -> dict[str, int]:  # noqa: ANN401  # psycopg2 has no types
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_type = 'BASE TABLE' "
            "AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        )
        counts = {}
        for schema, table in cursor.fetchall():
            name = sql.Identifier(schema, table)
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(name))
            counts[f"{schema}.{table}"] = int(cursor.fetchone()[0])
        return counts


def _tool(name: str, folder: str, server: int) -> str:
    """The tool, of at least the server's version.

    Raises:
        BackupError: it is missing or too old.
    """
    advice = (
        f"Install the client programs of PostgreSQL {server} (Debian: postgresql-client-{server}), "
        "or set POSTGRES_TOOLS to their folder."
    )
    found = shutil.which(name, path=folder or None)
    if found is None:
        raise BackupError(f"{name} was not found. {advice}")
    said = subprocess.run(  # noqa: S603  # the operator's own program
        [found, "--version"],
        env=child_environment("program"),
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    version = _VERSION.search(said)
    if version is None or int(version[1]) < server:
        raise BackupError(f"{found} is {said.strip()!r}, but the server is {server}. {advice}")
    return found


def _run(command: list[str], url: str) -> None:
    done = subprocess.run(  # noqa: S603  # the operator's own program
        command,
        env={**child_environment("program"), **_environment(url)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        reason = masked(" ".join(done.stderr.split()))[-_MOST_CHARACTERS:]
        raise BackupError(f"{Path(command[0]).name} failed: {reason}")


def _environment(url: str) -> Mapping[str, str]:
    """The variables of libpq for a URL."""
    parts = psycopg2.extensions.parse_dsn(url)
    names = _NAMES | _NAMES_TOO | _RARE_NAMES
    return {names[part]: value for part, value in parts.items() if part in names}
