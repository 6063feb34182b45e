"""Charges as FOCUS 1.2, the FinOps Foundation's common form of bills, in a Parquet file."""

from pathlib import Path

import duckdb

from .reading import read_only

_COPY = """
    COPY (
        SELECT * EXCLUDE (day) FROM marts.focus_charges
        ORDER BY "ChargePeriodStart", "SubAccountId", "x_Backend", "x_Sku", "x_Charge"
    ) TO '{path}' (FORMAT parquet)
"""


def export_focus(database: Path, target: Path) -> int:
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
            connection.execute(_COPY.format(path=str(draft).replace("'", "''")))
        except duckdb.IOException as error:
            raise OSError(f"{target} cannot be written: {error}") from error
        [(count,)] = connection.execute("SELECT count(*) FROM marts.focus_charges").fetchall()
    draft.replace(target)
    return int(count)
