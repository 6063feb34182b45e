"""The figures of statements, from the marts."""

from pathlib import Path
from typing import Any

import duckdb

from escriba.billing.run_charges import UNALLOCATED
from escriba.reports.periods import Compared, Period
from escriba.reports.statement.figures import (
    AllocatedCost,
    MonthCosts,
    Tagged,
    TenantMonth,
    TranscribedAudio,
    Worked,
)

from .assumed_rates import assumed_rates
from .read_only import is_synthetic, read_only

_CARRIED = """
    SELECT tenant, category, sum(cost_usd), bool_or(is_by_assumed_rate) FROM marts.daily_spend
    WHERE day BETWEEN $since AND $until GROUP BY ALL ORDER BY ALL
"""
# audio of a job counts once; a forced repetition is another job
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
               coalesce(sum(run_usd) FILTER (waste <> ''), 0) AS failed_usd,
               bool_or(is_by_assumed_rate) AS is_assumed
        {_CHARGES} GROUP BY 1
    )
    SELECT substr(recording, length($tenant) + 2), first_day, audio_seconds, attempts, usd,
           failed_usd, coalesce(cost_center, ''), coalesce(project, ''), is_assumed
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


def read_house(path: Path, periods: Compared, bucket: str = "") -> MonthCosts:
    """The costs that all tenants carry. bucket: the URL that they must belong to.

    Raises:
        CostsNotBuiltError: there are no marts yet, or they belong to another bucket.
        CostsBusyError: the marts are being built.
    """
    with read_only(path, "marts.spend_by_tag", bucket) as costs:
        return MonthCosts(
            periods,
            now=tuple(AllocatedCost(*row) for row in _ask(costs, _CARRIED, periods.now)),
            before=tuple(AllocatedCost(*row) for row in _ask(costs, _CARRIED, periods.before)),
            is_synthetic=is_synthetic(costs),
        )


def read_tenant(path: Path, tenant: str, periods: Compared, bucket: str = "") -> TenantMonth:
    """One tenant's own part; raises the same errors as read_house."""
    with read_only(path, "marts.spend_by_tag", bucket) as costs:

        def ask(query: str, period: Period = periods.now) -> list[tuple[Any, ...]]:
            return _ask(costs, query, period, tenant)

        [done], [before] = ask(_DONE), ask(_DONE, periods.before)
        [billed] = ask(_BILLED)
        return TenantMonth(
            tenant,
            now=TranscribedAudio(*done),
            before=TranscribedAudio(*before),
            worked=tuple(Worked(*row) for row in ask(_WORKED)),
            tagged=tuple(Tagged(*row) for row in ask(_TAGGED)),
            days=billed[0],
            billed_days=billed[1],
            assumed_rates=assumed_rates(costs, periods, tenant),
        )


def tenants_of(house: MonthCosts) -> list[str]:
    """The tenants that carry costs in the month."""
    return sorted({row.tenant for row in house.now} - {UNALLOCATED})


def _ask(
    costs: duckdb.DuckDBPyConnection, query: str, period: Period, tenant: str = ""
) -> list[tuple[Any, ...]]:
    values: dict[str, Any] = {"since": period.first, "until": period.last}
    return costs.execute(query, values | ({"tenant": tenant} if tenant else {})).fetchall()
