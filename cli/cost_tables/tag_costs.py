"""`escriba costs --by cost_center` and `project`, from the cost tables; and tenants' charges."""

from decimal import Decimal
from typing import Any

from assets.costs.statements import tenant_terms
from escriba.reports.statement.cents import rounded
from escriba.reports.statement.terms import charge_usd
from escriba.settings import Settings, SettingsError
from resources.storage.base import Storage

from .overheads import COLUMNS, Overheads

TAG_GROUPS = ("cost_center", "project")
# the same columns as for attempts; unallocated costs have no tag
_QUERY = """
    SELECT {group} AS name, sum(attempts)::BIGINT AS attempts,
           sum(wasted_attempts)::BIGINT AS wasted_attempts,
           sum(audio_seconds) FILTER (category = 'run') AS audio_seconds,
           coalesce(sum(audio_seconds) FILTER (category = 'run'), 0) AS computed_audio_seconds,
           sum(run_seconds) AS run_seconds,
           sum(run_seconds) FILTER (category = 'run')
               / nullif(sum(audio_seconds) FILTER (category = 'run'), 0) AS rtf,
           coalesce(sum(cost_usd) FILTER (category IN ('run', 'failed_run')), 0) AS cost_usd,
           sum(wasted_usd) AS wasted_usd,
           coalesce(sum(cost_usd) FILTER (category = 'boot'), 0) AS boot_usd,
           coalesce(sum(cost_usd) FILTER (category = 'idle'), 0) AS idle_usd,
           coalesce(sum(cost_usd) FILTER (category = 'unexplained'), 0) AS unexplained_usd,
           coalesce(sum(cost_usd) FILTER (category NOT IN (
               'run', 'failed_run', 'boot', 'idle', 'unexplained')), 0) AS beside_machines_usd
    FROM marts.spend_by_tag GROUP BY 1 ORDER BY 1
"""
_TOTAL = "SELECT coalesce(sum(cost_usd), 0)::DECIMAL(38, 9) FROM marts.spend_by_tag"


def rows_by_tag(
    settings: Settings, storage: Storage, group: str
) -> tuple[list[dict[str, Any]], Overheads]:
    """Return rows by tag from the cost tables, updated first so that new tags count."""
    from intake.refresh_costs import refresh
    from resources.costs_database.read_only import read_only

    refresh(settings, storage, checks=False, unless_current=True)
    with read_only(settings.costs_database, "marts.spend_by_tag", storage.url) as costs:
        answer = costs.execute(_QUERY.format(group=group))
        names = [column[0] for column in answer.description]
        rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        [(total,)] = costs.execute(_TOTAL).fetchall()
    return rows, Overheads({}, total)


def charge_rows(settings: Settings, rows: list[dict[str, Any]]) -> None:
    """Add the charge to the rows of tenants that have a price or a markup."""
    for row in rows:
        try:
            charge = tenant_terms(settings, str(row["name"])).charge
        except SettingsError:
            return
        if charge is None:
            continue
        cost = sum((Decimal(row.get(name) or 0) for name in ("cost_usd", *COLUMNS)), Decimal(0))
        seconds = Decimal(repr(float(row["computed_audio_seconds"] or 0)))
        row["charged_usd"] = charge_usd(charge, rounded(cost), seconds)
