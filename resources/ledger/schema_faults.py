"""Unusable ledger files: damaged, foreign, or written by a newer version."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from resources.storage.base import StorageError

from .files import unreadable
from .tables import LEDGER_INVOICES, LEDGER_TAGS, LedgerTable, schema

if TYPE_CHECKING:
    import duckdb

# the root of a file's schema has no type; this reads footers, but no rows
_COLUMNS = """
    SELECT columns, list(file_name) FROM (
        SELECT file_name, list((name, duckdb_type) ORDER BY name) AS columns
        FROM parquet_schema(?) WHERE num_children IS NULL GROUP BY 1
    ) GROUP BY 1
"""
_VERSIONS = """
    SELECT filename, max(schema_version) > ? FROM
    read_parquet(?, union_by_name = true, filename = true, hive_partitioning = false) GROUP BY 1
"""
_NEWER = "was written by a newer version of Escriba ({why}): update this installation"
_AGAIN = {
    LEDGER_INVOICES.name: "then import the bill again with `escriba invoices import`",
    LEDGER_TAGS.name: "then tag its recordings again",
}
_FOREIGN = "is not a ledger file ({why}): remove it"


def check_columns(
    connection: "duckdb.DuckDBPyConnection", table: LedgerTable, paths: Mapping[str, str]
) -> None:
    """Check that each file has the columns of this version or of an earlier one.

    paths: local paths of the files, and their keys.

    Raises:
        StorageError: names each file that does not.
        duckdb.Error: a file is damaged.
    """
    if not paths:
        return
    found = connection.execute(_COLUMNS, [list(paths)]).fetchall()
    troubles = [
        f"{paths[path]!r} {trouble}"
        for columns, files in found
        for trouble in _troubles(table, dict(columns))
        for path in files
    ]
    if not troubles:
        why = f"its rows have a schema version above {_version(table)}"
        found = connection.execute(_VERSIONS, [_version(table), list(paths)]).fetchall()
        newer = (path for path, is_newer in found if is_newer)
        troubles = [f"{paths[path]!r} {_NEWER.format(why=why)}" for path in newer]
    if troubles:
        raise StorageError(f"The ledger's {'; '.join(sorted(troubles))}.")


def damaged(table: LedgerTable, paths: Mapping[str, str]) -> StorageError:
    """The error for files that cannot be read; tries each one alone, and names the bad ones."""
    bad = [paths[str(path)] for path in unreadable(map(Path, paths))]
    again = _AGAIN.get(table.name, "then `escriba costs --rebuild` writes its rows again")
    return StorageError(
        f"The ledger's {', '.join(map(repr, bad)) or table.folder} cannot be read as Parquet. "
        f"Remove it, {again}."
    )


def _troubles(table: LedgerTable, columns: Mapping[str, str]) -> Iterator[str]:
    known = {field.name: _kind(str(field.type)) for field in schema(table.kind)}
    missing = [name for name in _required(table) if name not in columns]
    others = [name for name in known if name in columns and _kind(columns[name]) != known[name]]
    unknown = sorted(columns.keys() - known)
    if missing:
        yield _FOREIGN.format(why=f"it lacks {', '.join(missing[:5])}")
    elif others:
        yield _FOREIGN.format(why=f"its {others[0]} is {columns[others[0]]}")
    elif unknown:
        yield _NEWER.format(why=f"unknown column {', '.join(unknown[:5])}")


def _kind(name: str) -> str:
    """The kind of an Arrow or DuckDB type: text, time or number."""
    if name.casefold() in {"string", "varchar"}:
        return "text"
    return "time" if name.casefold().startswith("timestamp") else "number"


def _required(table: LedgerTable) -> list[str]:
    """The columns of the first version: later ones have a default."""
    fields = dataclasses.fields(table.kind)
    return [field.name for field in fields if field.default is dataclasses.MISSING]


def _version(table: LedgerTable) -> int:
    """The schema version of the rows that this version writes."""
    [default] = [f.default for f in dataclasses.fields(table.kind) if f.name == "schema_version"]
    return int(str(default))
