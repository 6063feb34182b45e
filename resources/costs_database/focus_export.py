"""Export of charges as a Parquet file in the FinOps Foundation's format FOCUS 1.2 or 1.4."""

from pathlib import Path
from typing import Literal

import duckdb

from .read_only import read_only

Version = Literal["1.2", "1.4"]
# 1.3 renamed two columns, and 1.4 dropped the old ones; invoice details exist only in 1.4
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
    """Write the file atomically; returns the number of charges.

    Raises:
        CostsNotBuiltError: the marts do not exist yet.
        OSError: the file cannot be written.
    """
    if not target.parent.is_dir():
        raise OSError(f"{target} cannot be written: the folder {target.parent} does not exist.")
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
