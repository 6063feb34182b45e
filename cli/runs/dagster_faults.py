"""What is wrong with Dagster's records, in one sentence, by the error that ended their use.

No sentence quotes an error, since its text may hold the database's password.
"""

import errno
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from escriba.settings import Settings

_KEPT: Final = "Finished work is in the bucket and is not lost."
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FORM: Final = "postgresql://user:password@host:5432/database"

# patterns of SQLite's messages, and what they mean for a folder
_OF_SQLITE: Final = {
    "is locked": "is_locked",
    "disk is full|disk i/o error": "is_full",
    "readonly|unable to open": "is_forbidden",
    "malformed|not a database": "is_damaged",
}
# patterns of libpq's messages, and what they mean
_OF_POSTGRES: Final = {
    "too many clients|remaining connection slots|too many connections": (
        "the server has no free connection. End other programs that use it, or raise its "
        "max_connections; a run needs about five"
    ),
    "authentication failed|no password supplied|role .* does not exist|pg_hba.conf": (
        "the server refuses the user or the password. Correct it, and check the server's "
        "pg_hba.conf"
    ),
    "database .* does not exist": (
        "the server has no such database. Create it (`createdb NAME`), or correct the name"
    ),
    "no space left|disk full": "the server's disk is full. Free some space there",
    "starting up|shutting down|recovery mode": (
        "the server is starting or stopping. Wait a moment, then run again"
    ),
    "read-only transaction": "the server is read-only, such as a replica. Use the primary server",
    "permission denied": "the user may not create or change tables there. Give it the right",
    "connect|translate host|timeout|closed|terminat|network|ssl": (
        "the server cannot be reached. Check that it runs, its host, port and network"
    ),
}


def dagster_fault(error: BaseException, settings: Settings) -> str:
    """The sentence for an error of Dagster's database or folder, known or not."""
    known = known_fault(error, settings)
    if known:
        return known
    names = ", ".join(dict.fromkeys(type(one).__name__ for one in _chain(error)))
    return (
        f"DAGSTER_HOME: Dagster's records in {settings.dagster_home} cannot be used ({names}). "
        f"If `escriba doctor` finds no cause, move that folder away. {_KEPT}"
    )


def known_fault(error: BaseException, settings: Settings) -> str:
    """The sentence for a cause that is known; empty if it is another error."""
    sentences = (_of_one(one, settings) for one in _chain(error))
    found = next(filter(None, sentences), "")
    return f"{found} {_KEPT}" if found else ""


def in_our_words(cause: str, settings: Settings) -> str:
    """The first line of an error that Dagster recorded, or what it means if that is known."""
    text, home = cause.casefold(), settings.dagster_home
    if "sqlite3." in text:
        return _of_sqlite(text, home) or cause
    if "psycopg2." in text:
        return _of_postgres(text) or "DAGSTER_POSTGRES_URL: the database failed"
    return cause


def _of_one(error: BaseException, settings: Settings) -> str:
    kind, module = type(error).__name__, type(error).__module__.partition(".")[0]
    home = settings.dagster_home
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(str(error).casefold(), home)
    if module == "psycopg2":
        return _of_postgres(str(error).casefold())
    if isinstance(error, ValueError) or kind in {"ArgumentError", "NoSuchModuleError"}:
        return _of_address(settings)
    if module == "yaml" or kind in {"DagsterInvalidConfigError", "DagsterYamlError"}:
        return (
            f"DAGSTER_HOME: {home / 'dagster.yaml'} was edited and is no longer valid. Correct it, "
            "or remove it: Escriba writes a new one."
        )
    return _of_disk(error, home) if isinstance(error, OSError) else ""


def _of_sqlite(text: str, home: Path) -> str:
    return {
        "is_locked": f"DAGSTER_HOME: another process keeps the database in {home} locked. End it "
        "(another `escriba run` or `up`, a backup, a viewer), and keep the folder on a local disk; "
        "for several machines set DAGSTER_POSTGRES_URL.",
        "is_full": _full(home),
        "is_forbidden": _forbidden(home),
        "is_damaged": f"DAGSTER_HOME: the database in {home} is damaged. Move that folder away.",
    }.get(_first(_OF_SQLITE, text), "")


def _of_postgres(text: str) -> str:
    found = _first(_OF_POSTGRES, text)
    return f"DAGSTER_POSTGRES_URL: {found}." if found else ""


def _of_address(settings: Settings) -> str:
    """The sentence for an address that cannot be parsed; empty if it can be, or there is none."""
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    url = settings.dagster_postgres_url.get_secret_value()
    if not url:
        return ""
    from sqlalchemy.engine import make_url

    try:
        parsed = make_url(url)
        is_postgres = parsed.get_backend_name() == "postgresql" and parsed.get_dialect() is not None
    except (ArgumentError, NoSuchModuleError, ValueError):
        is_postgres = False
    wrong = f"DAGSTER_POSTGRES_URL: it is not an address of the form {_FORM}."
    return "" if is_postgres else wrong


def _first(patterns: Mapping[str, str], text: str) -> str:
    return next((what for pattern, what in patterns.items() if re.search(pattern, text)), "")


def _of_disk(error: OSError, home: Path) -> str:
    inside = error.filename is None or str(error.filename).startswith(str(home))
    if error.errno in _FULL and inside:
        return _full(home)
    if error.errno in _FORBIDDEN and error.filename is not None and inside:
        return _forbidden(home)
    return ""


def _full(home: Path) -> str:
    return f"DAGSTER_HOME: the disk of {home} is full. Free some space, or choose another folder."


def _forbidden(home: Path) -> str:
    return (
        f"DAGSTER_HOME: this user may not write to {home}. Give it permission, or choose another "
        "folder."
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, those that a database driver raised included."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = getattr(error, "orig", None) or error.__cause__ or error.__context__
