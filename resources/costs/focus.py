"""Charges in the FinOps Foundation's common form of bills, FOCUS 1.2 or 1.4, in a Parquet file."""

from pathlib import Path
from typing import Literal

import duckdb

from .reading import read_only

Version = Literal["1.2", "1.4"]
# 1.3 renamed two columns, and 1.4 no longer has the old ones; the details of invoices are its own
_NOT_IN: dict[str, tuple[str, ...]] = {
    "1.2": ("ServiceProviderName", "HostProviderName", "InvoiceDetailId"),
    "1.4": ("ProviderName", "PublisherName"),
}
_COPY = """
    COPY (
        SELECT * EXCLUDE ({others}) FROM marts.focus_charges
        ORDER BY "ChargePeriodStart", "SubAccountId", "x_Backend", "x_Sku", "x_Charge"
    ) TO '{path}' (FORMAT parquet, KV_METADATA {{FocusVersion: '{version}'}})
"""


def export_focus(database: Path, target: Path, version: Version = "1.2") -> int:
    """Write the file, whole or not at all; the number of charges.

    Raises:
        CostsNotBuiltError: the marts are not there yet.
        OSError: the file cannot be written.
    """
    if not target.parent.is_dir():
        raise OSError(f"{target} cannot be written: there is no folder {target.parent}.")
    draft = target.with_name(f".{target.name}.draft")
    with read_only(database, "marts.focus_charges") as connection:
        try:
            connection.execute(_query(draft, version))
        except duckdb.IOException as error:
            raise OSError(f"{target} cannot be written: {error}") from error
        [(count,)] = connection.execute("SELECT count(*) FROM marts.focus_charges").fetchall()
    draft.replace(target)
    return int(count)


def _query(draft: Path, version: Version) -> str:
    others = ", ".join(f'"{name}"' for name in ("day", *_NOT_IN[version]))
    path = str(draft).replace("'", "''")
    return _COPY.format(path=path, others=others, version=version)
