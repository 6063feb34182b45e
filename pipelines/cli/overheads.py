"""What the cost tables add to `escriba costs`, where they are built: boot, idle, bills, limits."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.settings import Settings

# grouped as the rows of `escriba costs` are
_GROUPS = {
    "tenant": "tenant",
    "backend": "backend",
    "model": "model",
    "day": "strftime(day, '%Y-%m-%d')",
}
_BY_RECORDING = """
    SELECT recording AS name, sum(boot_usd), sum(idle_usd), 0::DECIMAL(38, 9)
    FROM marts.cost_per_recording GROUP BY 1
"""
_BY_GROUP = """
    SELECT {group} AS name,
           coalesce(sum(cost_usd) FILTER (category = 'boot'), 0),
           coalesce(sum(cost_usd) FILTER (category = 'idle'), 0),
           coalesce(sum(cost_usd) FILTER (category = 'unexplained'), 0)
    FROM marts.daily_spend GROUP BY 1
"""
COLUMNS = ("boot_usd", "idle_usd", "unexplained_usd")


def add_overheads(database: Path, rows: list[dict[str, Any]], group: str) -> bool:
    """Boot, idle and unexplained of each row; False where there are no tables to tell."""
    from resources.costs.reading import CostsNotBuiltError, read_only
    from resources.costs.standing import CostsBusyError

    query = _BY_RECORDING if group == "recording" else _BY_GROUP.format(group=_GROUPS[group])
    try:
        with read_only(database, "marts.daily_spend") as costs:
            found = {name: values for name, *values in costs.execute(query).fetchall()}
    except (CostsBusyError, CostsNotBuiltError):
        return False
    for row in rows:
        nothing = [Decimal(0)] * len(COLUMNS)
        row.update(zip(COLUMNS, found.get(row["name"], nothing), strict=True))
    return True


def limit_lines(settings: Settings) -> Iterator[str]:
    """A line for each limit, the worst first; nothing where no tables are built."""
    from resources.costs.burning import read_levels
    from resources.costs.reading import CostsNotBuiltError
    from resources.costs.standing import CostsBusyError

    marks = {"ok": "  ", "warn": "! ", "stop": "!!"}
    try:
        found = read_levels(settings.costs_database, settings.budget_warn_share)
    except (CostsBusyError, CostsNotBuiltError):
        return
    for level in found:
        yield f"{marks[level.state]} {level.sentence}"
