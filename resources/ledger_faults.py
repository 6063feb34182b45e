"""Files of the ledger that cannot be taken: damaged, another's, or of a version to come."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .ledger_files import unreadable
from .ledger_tables import LEDGER_INVOICES, LEDGER_TAGS, LedgerTable
from .ledger_writer import schema
from .storage.base import StorageError

if TYPE_CHECKING:
    import duckdb

# the root of a file's schema has no type of its own; footers are read, and no rows
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
_NEWER = "is of a newer version of Escriba ({why}): bring this one up to date"
_AGAIN = {
    LEDGER_INVOICES.name: "import the bill again with `escriba invoices import`",
    LEDGER_TAGS.name: "and tag its recordings again",
}
_ANOTHERS = "is no file of the ledger, {why}: remove it"


def hold_columns(
    connection: "duckdb.DuckDBPyConnection", table: LedgerTable, paths: Mapping[str, str]
) -> None:
    """Nothing where each file has the columns of this version or of one before.

    paths: of the files on this machine, and their keys.

    Raises:
        StorageError: names each file that has not.
        duckdb.Error: one is damaged.
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
        why = f"its rows are later than {_version(table)}"
        found = connection.execute(_VERSIONS, [_version(table), list(paths)]).fetchall()
        newer = (path for path, is_newer in found if is_newer)
        troubles = [f"{paths[path]!r} {_NEWER.format(why=why)}" for path in newer]
    if troubles:
        raise StorageError(f"The ledger's {'; '.join(sorted(troubles))}.")


def damaged(table: LedgerTable, paths: Mapping[str, str]) -> StorageError:
    """What to say of files that cannot be read: each is tried alone, and the bad ones named."""
    bad = [paths[str(path)] for path in unreadable(map(Path, paths))]
    again = _AGAIN.get(table.name, "then `escriba costs --rebuild` writes its rows again")
    return StorageError(
        f"The ledger's {', '.join(map(repr, bad)) or table.folder} cannot be read as Parquet: "
        f"remove it, {again}."
    )


def _troubles(table: LedgerTable, columns: Mapping[str, str]) -> Iterator[str]:
    known = {field.name: _kind(str(field.type)) for field in schema(table.kind)}
    missing = [name for name in _required(table) if name not in columns]
    others = [name for name in known if name in columns and _kind(columns[name]) != known[name]]
    strange = sorted(columns.keys() - known)
    if missing:
        yield _ANOTHERS.format(why=f"it lacks {', '.join(missing[:5])}")
    elif others:
        yield _ANOTHERS.format(why=f"its {others[0]} is {columns[others[0]]}")
    elif strange:
        why = f"column {', '.join(strange[:5])} is not known here"
        yield _NEWER.format(why=why)


def _kind(name: str) -> str:
    """What a type of Arrow's or of DuckDB's is of."""
    if name.casefold() in {"string", "varchar"}:
        return "text"
    return "time" if name.casefold().startswith("timestamp") else "number"


def _required(table: LedgerTable) -> list[str]:
    """Those of the first version: what came later has a default."""
    fields = dataclasses.fields(table.kind)
    return [field.name for field in fields if field.default is dataclasses.MISSING]


def _version(table: LedgerTable) -> int:
    """Of the rows that are written now."""
    [default] = [f.default for f in dataclasses.fields(table.kind) if f.name == "schema_version"]
    return int(str(default))
