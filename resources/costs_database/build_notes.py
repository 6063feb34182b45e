"""Notes beside figures of the cost tables: they are outdated, or prices are missing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from .database import open_database
from .database_file import CostsBusyError, CostsNotBuiltError
from .read_only import read_only

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


def record_build(path: Path, why: str = "", now: datetime | None = None) -> None:
    """Record that a build succeeded, or why it failed."""
    with open_database(path) as connection:
        connection.execute("DELETE FROM ledger.builds WHERE why <> '' OR $1 = ''", [why])
        at = now or datetime.now(UTC)
        connection.execute("INSERT INTO ledger.builds VALUES (?, ?)", [at, why])


def failed_build(path: Path, bucket: str = "") -> str:
    """The date of the tables and why the last build failed; empty if it succeeded."""
    try:
        with read_only(path, "ledger.builds", bucket) as connection:
            builds = connection.execute(_BUILDS).fetchall()
    except (CostsNotBuiltError, CostsBusyError, duckdb.Error):
        return ""
    failed = [(at, why) for at, why in builds if why]
    if not failed:
        return ""
    good = [at for at, why in builds if not why]
    of = f"from {good[-1]:%Y-%m-%d %H:%M} UTC" if good else "from an earlier version"
    at, why = failed[-1]
    return f"The cost tables are {of}: the build at {at:%Y-%m-%d %H:%M} UTC failed. {why}"


def price_notes(path: Path, bucket: str = "") -> Iterator[str]:
    """A sentence for each sku without a price, and for each assumed exchange rate."""
    try:
        with read_only(path, "intermediate.int_life_days", bucket) as connection:
            unpriced = connection.execute(_UNPRICED).fetchall()
            assumed = connection.execute(_ASSUMED).fetchall()
    except (CostsNotBuiltError, CostsBusyError, duckdb.Error):
        return
    for name, count, first, last in unpriced:
        yield (
            f"PRICE_BOOK has no price for {name} for {count:,} attempts ({first} to {last}): they "
            "count at their recorded cost. Add a line to the price book."
        )
    for source, usd in assumed:
        yield f"{usd:,.2f} USD of the bills are converted at an {source}."


def shortened(why: str) -> str:
    """An error as one short line, for a table."""
    line = " ".join(why.split())
    return line if len(line) <= _LONGEST_WHY else f"{line[:_LONGEST_WHY]} …"
