"""What is to be said beside figures of the cost tables: they are old, or prices are missing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from .database import open_database
from .reading import read_only
from .standing import CostsBusyError, CostsNotBuiltError

_LONGEST_WHY = 300
_BUILDS = "SELECT built_at, why FROM ledger.builds ORDER BY built_at"
_UNPRICED = """
    SELECT backend || '/' || sku, count(DISTINCT attempt_id),
           min(started_at)::DATE, max(started_at)::DATE
    FROM intermediate.int_run_days
    WHERE NOT has_price AND run_seconds > 0
    GROUP BY 1 ORDER BY 1
"""
_ASSUMED = """
    SELECT rate_source, sum(amount_usd) FROM ledger.invoices
    WHERE starts_with(rate_source, 'assumed') AND withdrawn_at IS NULL GROUP BY 1 ORDER BY 1
"""


def note_build(path: Path, why: str = "", now: datetime | None = None) -> None:
    """Write down that a build ended well, or why it did not."""
    with open_database(path) as connection:
        connection.execute("DELETE FROM ledger.builds WHERE why <> '' OR $1 = ''", [why])
        at = now or datetime.now(UTC)
        connection.execute("INSERT INTO ledger.builds VALUES (?, ?)", [at, why])


def failed_build(path: Path, bucket: str = "") -> str:
    """Of when the tables are and why they are no newer; nothing where the last build went well."""
    try:
        with read_only(path, "ledger.builds", bucket) as connection:
            builds = connection.execute(_BUILDS).fetchall()
    except (CostsNotBuiltError, CostsBusyError, duckdb.Error):
        return ""
    failed = [(at, why) for at, why in builds if why]
    if not failed:
        return ""
    good = [at for at, why in builds if not why]
    of = f"of {good[-1]:%Y-%m-%d %H:%M} UTC" if good else "of an earlier version"
    at, why = failed[-1]
    return f"The cost tables are {of}: the build of {at:%Y-%m-%d %H:%M} UTC failed. {why}"


def price_notes(path: Path, bucket: str = "") -> Iterator[str]:
    """A sentence for each sku without a price, and for each exchange rate that is an assumption."""
    try:
        with read_only(path, "intermediate.int_life_days", bucket) as connection:
            unpriced = connection.execute(_UNPRICED).fetchall()
            assumed = connection.execute(_ASSUMED).fetchall()
    except (CostsNotBuiltError, CostsBusyError, duckdb.Error):
        return
    for name, count, first, last in unpriced:
        yield (
            f"The price book has no price of {name} for {count:,} attempts ({first} to {last}): "
            "they count as they were written down. Add a line to it."
        )
    for source, usd in assumed:
        yield f"{usd:,.2f} USD of the bills are by an {source}."


def shortened(why: str) -> str:
    """An error as a line that a table can hold."""
    line = " ".join(why.split())
    return line if len(line) <= _LONGEST_WHY else f"{line[:_LONGEST_WHY]} …"
