"""The figures of statements out of the marts."""

from pathlib import Path
from typing import Any

import duckdb

from pipelines.billing.report.figures import UNALLOCATED
from pipelines.billing.report.periods import Compared, Period
from pipelines.billing.statement.figures import (
    Carried,
    Done,
    HouseMonth,
    Tagged,
    TenantMonth,
    Worked,
)
from resources.costs.reading import is_synthetic, read_only

_CARRIED = """
    SELECT tenant, category, sum(cost_usd) FROM marts.daily_spend
    WHERE day BETWEEN $since AND $until GROUP BY ALL ORDER BY ALL
"""
# audio that was done once counts once; who asks for it again has another job
_CHARGES = """
    FROM intermediate.int_attempt_charges
    WHERE tenant = $tenant AND recording IS NOT NULL AND day BETWEEN $since AND $until
"""
_DONE_AUDIO = """coalesce(sum(audio_seconds::DECIMAL(18, 3)) FILTER (
    status = 'done' AND waste = '' AND is_run_day), 0)"""
_DONE = f"""
    SELECT count(DISTINCT recording) FILTER (status IN ('done', 'none') AND is_run_day),
           {_DONE_AUDIO} {_CHARGES}
"""
_WORKED = f"""
    WITH summed AS (
        SELECT recording, min(day) AS first_day, {_DONE_AUDIO} AS audio_seconds,
               count(*) FILTER (is_run_day AND backend <> 'none') AS attempts,
               sum(run_usd + boot_usd + idle_usd) AS usd,
               coalesce(sum(run_usd) FILTER (waste <> ''), 0) AS failed_usd
        {_CHARGES} GROUP BY 1
    )
    SELECT substr(recording, length($tenant) + 2), first_day, audio_seconds, attempts, usd,
           failed_usd, coalesce(cost_center, ''), coalesce(project, '')
    FROM summed LEFT JOIN marts.recording_tags USING (recording)
    ORDER BY first_day, recording
"""  # noqa: S608  # our own words
_TAGGED = """
    SELECT cost_center, project, sum(cost_usd) FROM marts.spend_by_tag
    WHERE tenant = $tenant AND day BETWEEN $since AND $until GROUP BY ALL ORDER BY ALL
"""
_BILLED = """
    WITH mine AS (
        SELECT DISTINCT day, backend FROM marts.daily_spend
        WHERE tenant = $tenant AND day BETWEEN $since AND $until AND cost_usd <> 0
          AND backend <> 'local'
    ), open AS (
        SELECT DISTINCT day FROM (
            FROM mine EXCEPT SELECT day, backend FROM marts.reconciliation
        )
    )
    SELECT count(DISTINCT day),
           count(DISTINCT day) FILTER (day NOT IN (SELECT day FROM open)) FROM mine
"""


def read_house(path: Path, periods: Compared, bucket: str = "") -> HouseMonth:
    """What everybody carries; bucket: whose costs they must be.

    Raises:
        CostsNotBuiltError: there are no marts yet, or another bucket's.
        CostsBusyError: they are being built.
    """
    with read_only(path, "marts.spend_by_tag", bucket) as costs:
        return HouseMonth(
            periods,
            now=tuple(Carried(*row) for row in _ask(costs, _CARRIED, periods.now)),
            before=tuple(Carried(*row) for row in _ask(costs, _CARRIED, periods.before)),
            is_synthetic=is_synthetic(costs),
        )


def read_tenant(path: Path, tenant: str, periods: Compared, bucket: str = "") -> TenantMonth:
    """One tenant's own part; raises as read_house."""
    with read_only(path, "marts.spend_by_tag", bucket) as costs:

        def ask(query: str, period: Period = periods.now) -> list[tuple[Any, ...]]:
            return _ask(costs, query, period, tenant)

        [done], [before] = ask(_DONE), ask(_DONE, periods.before)
        [billed] = ask(_BILLED)
        return TenantMonth(
            tenant,
            now=Done(*done),
            before=Done(*before),
            worked=tuple(Worked(*row) for row in ask(_WORKED)),
            tagged=tuple(Tagged(*row) for row in ask(_TAGGED)),
            days=billed[0],
            billed_days=billed[1],
        )


def tenants_of(house: HouseMonth) -> list[str]:
    """Everybody who carries something in the month."""
    return sorted({row.tenant for row in house.now} - {UNALLOCATED})


def _ask(
    costs: duckdb.DuckDBPyConnection, query: str, period: Period, tenant: str = ""
) -> list[tuple[Any, ...]]:
    told: dict[str, Any] = {"since": period.first, "until": period.last}
    return costs.execute(query, told | ({"tenant": tenant} if tenant else {})).fetchall()
