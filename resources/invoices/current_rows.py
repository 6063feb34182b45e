"""The current rows of `ledger/invoices` for some days."""

import dataclasses
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from escriba.billing.invoice_rows import InvoiceRow
from resources.ledger.files import fetch_all, ledger_files
from resources.ledger.schema_faults import check_columns, damaged
from resources.ledger.tables import LEDGER_INVOICES, schema
from resources.storage.base import Storage, StoredObject

_COLUMNS = ", ".join(field.name for field in dataclasses.fields(InvoiceRow))
# files of another version may have fewer columns, or more
_EVERY = """
    SELECT * FROM nothing UNION ALL BY NAME
    SELECT * FROM read_parquet(getvariable('paths'), union_by_name = true,
                               hive_partitioning = false)
"""


def rows_between(storage: Storage, first: date, last: date) -> dict[str, InvoiceRow]:
    """By row_id, the rows with a period that begins within these days (UTC).

    Raises:
        StorageError: a file of these days is damaged; names its key.
    """
    folder = f"{LEDGER_INVOICES.folder}date="
    since, until = f"{folder}{first:%Y-%m-%d}", f"{folder}{last:%Y-%m-%d}"

    def look() -> list[StoredObject]:
        found = ledger_files(storage, LEDGER_INVOICES.folder, since)
        return [file for file in found if since <= file.key.rpartition("/")[0] <= until]

    with TemporaryDirectory(prefix="escriba-invoices-") as name:
        local = fetch_all(storage, look, Path(name))
        return {row.row_id: row for row in _read(local)}


def _read(local: dict[Path, str]) -> list[InvoiceRow]:
    import duckdb  # noqa: PLC0415

    if not local:
        return []
    keys = {str(path): key for path, key in local.items()}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("nothing", schema(InvoiceRow).empty_table())
        connection.execute("SET VARIABLE paths = ?", [list(keys)])
        try:
            check_columns(connection, LEDGER_INVOICES, keys)
            found = connection.sql(
                f"SELECT {_COLUMNS} FROM ({LEDGER_INVOICES.latest(_EVERY)})"  # noqa: S608
            ).to_arrow_table()
        except duckdb.Error as error:
            raise damaged(LEDGER_INVOICES, keys) from error
    return [InvoiceRow(**row) for row in found.to_pylist()]
