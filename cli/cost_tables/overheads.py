"""Overheads for `escriba costs` from the cost tables: boot, idle, invoices and limits."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from cli.cli_context import say
from cli.plain_errors import first_line
from escriba.billing.run_charges import UNALLOCATED
from escriba.settings import Settings
from resources.storage.base import Storage

if TYPE_CHECKING:
    import pyarrow as pa

    from escriba.billing.budget_burn import Level

# the same groups as in `escriba costs`
_GROUPS = {
    "tenant": "tenant",
    "backend": "backend",
    "model": "model",
    "day": "strftime(day, '%Y-%m-%d')",
}
_CATEGORIES = """
           coalesce(sum(cost_usd) FILTER (category = 'boot'), 0) AS boot,
           coalesce(sum(cost_usd) FILTER (category = 'idle'), 0) AS idle,
           coalesce(sum(cost_usd) FILTER (category = 'unexplained'), 0) AS unexplained,
           coalesce(sum(cost_usd) FILTER (
               category IN ('storage', 'network', 'tax', 'credit', 'other')), 0) AS beside
    FROM marts.daily_spend
"""
_BY_GROUP = "SELECT {group} AS name, " + _CATEGORIES + " GROUP BY 1"
# the last row has what is not allocated to any recording
_BY_RECORDING = f"""
    WITH carried AS (
        SELECT recording AS name, sum(boot_usd) AS boot, sum(idle_usd) AS idle
        FROM marts.cost_per_recording GROUP BY 1
    )
    SELECT name, boot, idle, 0::DECIMAL(38, 9), 0::DECIMAL(38, 9) FROM carried
    UNION ALL
    SELECT '{UNALLOCATED}', boot - (SELECT coalesce(sum(boot), 0) FROM carried),
           idle - (SELECT coalesce(sum(idle), 0) FROM carried), unexplained, beside
    FROM (SELECT {_CATEGORIES})
"""  # noqa: S608  # constants only
_TOTAL = "SELECT coalesce(sum(cost_usd), 0)::DECIMAL(38, 9) FROM marts.daily_spend"
# each second at the price book's current price for it, charged once
_RUNS = """
    SELECT attempt_id, sum(run_usd)::DECIMAL(18, 9) AS run_usd
    FROM intermediate.int_attempt_charges WHERE attempt_id IS NOT NULL GROUP BY 1
"""
COLUMNS = ("boot_usd", "idle_usd", "unexplained_usd", "beside_machines_usd")


@dataclass(frozen=True, slots=True)
class Overheads:
    """Overheads by group name.

    total_usd: all of daily_spend, attempts included. runs: the cost of each attempt's run as an
        Arrow table (attempt_id, run_usd); None by tag, where the rows already include it.
    """

    rows: dict[str, dict[str, Decimal]]
    total_usd: Decimal
    runs: "pa.Table | None" = None


def read_overheads(database: Path, group: str, bucket: str) -> Overheads | None:
    """Return overheads from the bucket's cost tables; None if they cannot be read."""
    import duckdb

    from resources.costs_database.database_file import CostsBusyError, CostsNotBuiltError
    from resources.costs_database.read_only import read_only

    query = _BY_RECORDING if group == "recording" else _BY_GROUP.format(group=_GROUPS[group])
    try:
        with read_only(database, "marts.daily_spend", bucket) as costs:
            found = costs.execute(query).fetchall()
            [(total,)] = costs.execute(_TOTAL).fetchall()
            runs = costs.sql(_RUNS).to_arrow_table()
    except CostsNotBuiltError:
        return None
    except (CostsBusyError, duckdb.Error) as error:
        missing = "boot, idle and invoices are not included"
        say(f"escriba: {missing}. {first_line(error)}")
        return None
    rows = {name: dict(zip(COLUMNS, values, strict=True)) for name, *values in found}
    return Overheads(rows, total, runs)


def limit_lines(settings: Settings, storage: Storage) -> Iterator[str]:
    """Yield a line for each limit, the most used first, by the budget gate's current count."""
    from intake.cost_limits import budget_owners

    marks = {"ok": "  ", "warn": "! ", "stop": "!!"}
    owners = budget_owners(settings)
    for level in limit_levels(settings, storage):
        notified = ", ".join(owners.get(level.scope, ()))
        line = f"{marks[level.state]} {level.sentence}"
        yield f"{line} Notified: {notified}." if notified else line


def limit_levels(settings: Settings, storage: Storage) -> "list[Level]":
    """Return the limits, with a forecast if the tables are built; none if nothing was spent."""
    import duckdb

    from intake.cost_limits import cost_limits
    from resources.costs_database.budget_levels import levels_now, read_levels
    from resources.costs_database.database_file import CostsBusyError, CostsNotBuiltError
    from resources.gpu.open_engine import count_now
    from resources.storage.clock import utc_now

    share, spent = settings.budget_warn_share, count_now(settings, storage)
    try:
        return read_levels(settings.costs_database, share, bucket=storage.url, spent=spent)
    except (CostsBusyError, CostsNotBuiltError, duckdb.Error):
        if spent is None or not any(spent.of("all")):
            return []
        return levels_now(cost_limits(settings), spent, share, utc_now())


def limits_json(settings: Settings, storage: Storage) -> list[dict[str, str]]:
    """Return each limit for --json, with what is spent and what is left."""
    return [
        {
            "limit": one.limit,
            "period": one.period,
            "state": one.state,
            "spent_usd": f"{one.spent_usd:f}",
            "left_usd": f"{one.left_usd:f}",
        }
        for one in limit_levels(settings, storage)
    ]
