"""Files of the ledger that cannot be taken: damaged, another's, or of a version to come."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .ledger_files import unreadable
from .ledger_tables import LEDGER_INVOICES, LedgerTable
from .ledger_writer import schema
from .storage.base import StorageError

if TYPE_CHECKING:
    import duckdb

# the root of a file's schema has no type of its own; footers are read, and no rows
_COLUMNS = """
    SELECT columns, list(file_name) FROM (
        SELECT file_name, list(name ORDER BY name) AS columns
        FROM parquet_schema(?) WHERE num_children IS NULL GROUP BY 1
    ) GROUP BY 1
"""
_NEWER = "is of a newer version of Escriba ({why}): bring this one up to date"
_ANOTHERS = "is no file of the ledger, it lacks {columns}: remove it"


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
        for trouble in _troubles(table, set(columns))
        for path in files
    ]
    if troubles:
        raise StorageError(f"The ledger's {'; '.join(sorted(troubles))}.")


def newer_rows(table: LedgerTable, keys: Iterable[str]) -> StorageError:
    """What to say of files whose rows are of a version to come."""
    why = f"its rows are later than {version(table)}"
    return StorageError(f"The ledger's {', '.join(map(repr, keys))} {_NEWER.format(why=why)}.")


def damaged(table: LedgerTable, paths: Mapping[str, str]) -> StorageError:
    """What to say of files that cannot be read: each is tried alone, and the bad ones named."""
    bad = [paths[str(path)] for path in unreadable(map(Path, paths))]
    if not bad:
        keys = ", ".join(map(repr, paths.values()))
        why = "a column is of another kind"
        return StorageError(f"One of the ledger's {keys} {_NEWER.format(why=why)}.")
    again = (
        "import the bill again with `escriba invoices import`"
        if table is LEDGER_INVOICES
        else "then `escriba costs --rebuild` writes its rows again"
    )
    return StorageError(
        f"The ledger's {', '.join(map(repr, bad))} cannot be read as Parquet: remove it, {again}."
    )


def _troubles(table: LedgerTable, columns: set[str]) -> Iterator[str]:
    known = set(schema(table.kind).names)
    missing = [name for name in _required(table) if name not in columns]
    if missing:
        yield _ANOTHERS.format(columns=", ".join(missing[:5]))
    elif columns - known:
        why = f"column {', '.join(sorted(columns - known)[:5])} is not known here"
        yield _NEWER.format(why=why)


def _required(table: LedgerTable) -> list[str]:
    """Those of the first version: what came later has a default."""
    fields = dataclasses.fields(table.kind)
    return [field.name for field in fields if field.default is dataclasses.MISSING]


def version(table: LedgerTable) -> int:
    """Of the rows that are written now."""
    [default] = [f.default for f in dataclasses.fields(table.kind) if f.name == "schema_version"]
    return int(str(default))
