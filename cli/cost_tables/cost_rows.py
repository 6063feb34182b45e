"""The rows of `escriba costs`: sums of the ledger by group, with overheads."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cli.plain_json import json_value
from escriba.billing.estimates import on_runpod_l4
from escriba.billing.price_book import PriceBook, PriceBookError
from escriba.settings import Settings
from resources.ledger.audio_counts import AUDIO_SECONDS
from resources.ledger.duplicates import ATTEMPTS_WITH_WASTE
from resources.ledger.queries import open_ledger
from resources.price_book import open_price_book
from resources.storage.base import Storage

from .cost_table import all_together, total_of
from .overheads import COLUMNS, Overheads, read_overheads
from .tag_costs import TAG_GROUPS, charge_rows, rows_by_tag

if TYPE_CHECKING:
    import pyarrow as pa

GROUPS = {
    "recording": "recording",
    "tenant": "tenant",
    "backend": "backend",
    "model": "model",
    "day": "strftime(started_at, '%Y-%m-%d')",
}
# an attempt costs what the cost tables say, if they have it already; audio counts with the words
_QUERY = f"""
    WITH priced AS (
        SELECT judged.* REPLACE (
            coalesce(charged.run_usd, judged.cost_usd) AS cost_usd,
            {AUDIO_SECONDS} AS audio_seconds
        )
        FROM ({ATTEMPTS_WITH_WASTE}) AS judged LEFT JOIN ({{charged}}) AS charged USING (attempt_id)
    )
    SELECT {{group}} AS name,
           count(*) FILTER (backend <> 'none') AS attempts,
           count(*) FILTER (is_wasted) AS wasted_attempts,
           sum(audio_seconds) FILTER (NOT is_wasted) AS audio_seconds,
           coalesce(sum(audio_seconds) FILTER (status = 'done' AND NOT is_wasted), 0)
               AS computed_audio_seconds,
           sum(run_seconds) AS run_seconds,
           sum(run_seconds) FILTER (status = 'done')
               / nullif(sum(audio_seconds) FILTER (status = 'done'), 0) AS rtf,
           sum(cost_usd) AS cost_usd,
           coalesce(sum(cost_usd) FILTER (is_wasted), 0) AS wasted_usd
    FROM priced GROUP BY 1 ORDER BY 1
"""  # noqa: S608  # constants only
_NOT_CHARGED = "SELECT '' AS attempt_id, 0::DECIMAL(18, 9) AS run_usd WHERE false"
# for a group with costs but without attempts
_NO_ATTEMPTS = {
    "attempts": 0,
    "wasted_attempts": 0,
    "audio_seconds": 0.0,
    "computed_audio_seconds": 0.0,
    "run_seconds": 0.0,
    "rtf": None,
    "cost_usd": Decimal(0),
    "wasted_usd": Decimal(0),
}


def read_rows(
    settings: Settings, storage: Storage, group: str
) -> tuple[list[dict[str, Any]], Overheads | None]:
    """Return the ledger's rows with overheads from the cost tables; by tag, only the latter."""
    prices = open_price_book(settings)
    overheads: Overheads | None
    if group in TAG_GROUPS:
        rows, overheads = rows_by_tag(settings, storage, group)
    else:
        overheads = read_overheads(settings.costs_database, group, storage.url)
        runs = overheads.runs if overheads is not None else None
        with open_ledger(storage, tables=["attempts"]) as ledger:
            rows = query_costs(ledger, group, runs)
        if overheads is not None:
            rows = with_overheads(rows, overheads)
    price_rows(prices, rows, diarized=settings.diarizer != "none")
    if group == "tenant":
        charge_rows(settings, rows)
    return rows, overheads


def query_costs(
    ledger: Any,  # noqa: ANN401  # a DuckDB connection
    group: str,
    runs: "pa.Table | None" = None,
) -> list[dict[str, Any]]:
    """Return one dictionary for each group, sorted by its name.

    runs: costs of attempts by the cost tables (`Overheads.runs`); other attempts cost what the
    ledger recorded when they ended.
    """
    if runs is not None:
        ledger.register("runs", runs)
    charged = _NOT_CHARGED if runs is None else "FROM runs"
    answer = ledger.execute(_QUERY.format(group=GROUPS[group], charged=charged))
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def with_overheads(rows: list[dict[str, Any]], overheads: Overheads) -> list[dict[str, Any]]:
    """Return the rows with overheads, and rows for groups that only the cost tables have."""
    known = {row["name"]: row for row in rows}
    nothing = dict.fromkeys(COLUMNS, Decimal(0))
    found = [row | overheads.rows.get(name, nothing) for name, row in known.items()]
    for name, added in overheads.rows.items():
        if name not in known and any(added.values()):
            found.append({"name": name} | _NO_ATTEMPTS | added)
    return sorted(found, key=lambda row: str(row["name"]))


def costs_json(rows: list[dict[str, Any]], group: str) -> dict[str, Any]:
    """Return the rows for --json. total_usd: attempts only; all_usd: with overheads."""
    result = {
        "by": group,
        "rows": json_value(rows),
        "total_usd": json_value(Decimal(total_of(rows, "cost_usd"))),
    }
    if any(COLUMNS[0] in row for row in rows):
        result["all_usd"] = json_value(all_together(rows))
    return result


def price_rows(prices: PriceBook, rows: list[dict[str, Any]], *, diarized: bool) -> None:
    """Add to each row what its audio would cost on a RunPod L4 today; None without a price."""
    today = datetime.now(UTC)
    for row in rows:
        seconds = row["computed_audio_seconds"]
        try:
            row["usd_on_runpod_l4"] = on_runpod_l4(prices, seconds, today, diarized=diarized)
        except PriceBookError:
            row["usd_on_runpod_l4"] = None
