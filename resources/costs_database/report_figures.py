"""The figures of a report, from the marts."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from escriba.backend_names import BACKENDS
from escriba.billing.run_charges import UNALLOCATED
from escriba.reports import figures as rows
from escriba.reports import finance_figures
from escriba.reports.figures import Figures, PriceChange, Waiting
from escriba.reports.periods import Compared

from .assumed_rates import assumed_rates
from .read_only import is_synthetic, read_only

Row = TypeVar("Row")
_WEEK_BEFORE = "$since::DATE - 6"  # weekly curves start at the period

# the monthly curve starts on the first day of the month
_SPEND = f"""
    SELECT day, tenant, backend, category, sum(cost_usd), bool_or(is_by_assumed_rate)
    FROM marts.daily_spend
    WHERE day BETWEEN least($before::DATE, {_WEEK_BEFORE}, date_trunc('month', $until::DATE))
          AND $until
    GROUP BY ALL ORDER BY ALL
"""  # noqa: S608  # our own words
_SPEED = f"""
    SELECT day, backend, sku, attempts, done, failed, audio_hours, rtf_p50, rtf_p95
    FROM marts.backend_performance
    WHERE day BETWEEN least($before::DATE, {_WEEK_BEFORE}) AND $until ORDER BY ALL
"""  # noqa: S608
_WASTE = """
    SELECT day, backend, kind, sum(cost_usd), sum(attempts)::BIGINT FROM marts.waste
    WHERE day BETWEEN $before AND $until GROUP BY ALL ORDER BY ALL
"""
_OPTIONS = """
    SELECT backend, sku, unit, audio_hours_a_day, rtf, measured_jobs, usd_a_day, can_do_it
    FROM marts.break_even ORDER BY ALL
"""
_BURN = """
    SELECT scope, month, spent_usd, forecast_usd, forecast_low_usd, forecast_high_usd, day_usd,
           month_usd, level
    FROM marts.budget_burn WHERE month = date_trunc('month', $until::DATE)
    ORDER BY scope <> 'all', spent_usd DESC
"""
_RECORDINGS = """
    SELECT tenant, recording, attempts, audio_seconds, run_usd, wasted_usd,
           boot_usd + idle_usd, cost_usd, usd_per_audio_hour
    FROM marts.cost_per_recording WHERE last_day BETWEEN $since AND $until
    ORDER BY cost_usd DESC, recording LIMIT 10
"""
_ANOMALIES = """
    SELECT scope, day, cost_usd, usual_usd FROM marts.anomalies
    WHERE is_anomaly AND day BETWEEN $since AND $until ORDER BY day, scope
"""
_BILLS = """
    WITH billed AS (
        SELECT * FROM marts.reconciliation WHERE day BETWEEN $since AND $until
    ), unbilled AS (
        SELECT backend, list(day ORDER BY day) AS days FROM (
            SELECT DISTINCT backend, day FROM marts.daily_spend
            WHERE day BETWEEN $since AND $until AND cost_usd <> 0
            EXCEPT SELECT backend, day FROM billed
        ) GROUP BY 1
    )
    SELECT backend, count(*), sum(billed_usd), sum(unexplained_usd),
           coalesce(list(day ORDER BY day) FILTER (is_alarming), []),
           coalesce(any_value(unbilled.days), [])
    FROM billed LEFT JOIN unbilled USING (backend) GROUP BY 1 ORDER BY 3 DESC
"""
# a worker that died with its last job had no idle time (resources/ledger/queries.py)
_WAITING = """
    WITH jobs AS (
        SELECT *, epoch(job_started_at) - epoch(lag(job_ended_at) OVER life) AS pause,
               CASE WHEN ready_at > began_at THEN epoch(ready_at) - epoch(began_at) END AS boot,
               row_number() OVER (
                   PARTITION BY session_id
                   ORDER BY job_ended_at DESC, sequence DESC, row_id DESC
               ) = 1 AND attempt_id IN (
                   SELECT attempt_id FROM ledger.attempts WHERE status IN ('lost', 'stopped')
               ) AS died
        FROM staging.stg_sessions
        WHERE backend <> 'local' AND job_started_at::DATE BETWEEN $since AND $until
        WINDOW life AS (PARTITION BY session_id ORDER BY job_started_at, sequence)
    )
    SELECT backend, sku, max(idle_timeout_seconds), coalesce(median(boot), 0),
           max_by(usd_per_hour, job_started_at),
           count(DISTINCT session_id) - count(*) FILTER (died),
           coalesce(list(pause) FILTER (pause > 0), [])
    FROM jobs GROUP BY 1, 2
    HAVING max(idle_timeout_seconds) > 0 AND max(usd_per_hour) > 0 ORDER BY 1, 2
"""
_UNIT_COSTS = f"""
    SELECT month, tenant, audio_hours, cost_usd, usd_per_audio_hour FROM marts.tenant_months
    WHERE tenant <> '{UNALLOCATED}' AND month <= $until
      AND month > date_trunc('month', $until::DATE) - INTERVAL 12 MONTH
    ORDER BY month, tenant
"""  # noqa: S608
_TAGS = """
    SELECT cost_center, project,
           coalesce(sum(audio_seconds) FILTER (category = 'run'), 0) / 3600, sum(cost_usd)
    FROM marts.spend_by_tag WHERE day BETWEEN $since AND $until
    GROUP BY ALL ORDER BY 4 DESC, 1, 2
"""
_COMMITMENTS = """
    SELECT name, backend, sku, sum(amortized_usd), sum(used_hours), sum(at_price_book_usd)
    FROM marts.commitments WHERE day BETWEEN $since AND $until GROUP BY ALL ORDER BY ALL
"""
_PRICES = """
    SELECT now.valid_from::DATE, now.backend, now.sku,
           before.price_usd * (3600 / before.unit_seconds)::DECIMAL(6, 0),
           now.price_usd * (3600 / now.unit_seconds)::DECIMAL(6, 0)
    FROM staging.stg_prices AS now
    JOIN staging.stg_prices AS before
      ON (before.backend, before.sku, before.valid_to) = (now.backend, now.sku, now.valid_from)
    WHERE now.valid_from::DATE BETWEEN $since AND $until
      AND (now.backend, now.sku) IN (SELECT (backend, sku) FROM marts.backend_performance)
    ORDER BY ALL
"""


def read_figures(
    path: Path,
    periods: Compared,
    bucket: str = "",
    owners: Mapping[str, tuple[str, ...]] | None = None,
) -> Figures:
    """All figures for a report of these periods. bucket: the URL they must belong to, if known.

    owners: of budgets, by 'all' and by tenant.

    Raises:
        CostsNotBuiltError: there are no marts yet, or they belong to another bucket.
        CostsBusyError: the marts are being built.
    """
    with read_only(path, "marts.daily_spend", bucket) as connection:

        def ask(query: str) -> list[tuple[Any, ...]]:
            return _ask(connection, query, periods)

        return Figures(
            periods=periods,
            first_day=_first_day(connection),
            spend=_made(rows.Spend, ask(_SPEND)),
            speed=_made(rows.SpeedFigure, ask(_SPEED)),
            waste=_made(rows.Waste, ask(_WASTE)),
            options=_made(rows.BackendOption, ask(_OPTIONS)),
            burn=_made(
                rows.BudgetUse, [(*row, (owners or {}).get(row[0], ())) for row in ask(_BURN)]
            ),
            recordings=_made(rows.RecordingCost, ask(_RECORDINGS)),
            anomalies=_made(rows.Anomaly, ask(_ANOMALIES)),
            bills=_made(rows.BillTotal, _with_tuples(ask(_BILLS))),
            waiting=_made(Waiting, _with_tuples(ask(_WAITING))),
            price_changes=_made(PriceChange, ask(_PRICES)),
            unit_costs=_made(finance_figures.UnitCost, ask(_UNIT_COSTS)),
            tags=_made(finance_figures.TagSpend, ask(_TAGS)),
            commitments=_made(finance_figures.CommitmentFigure, ask(_COMMITMENTS)),
            assumed_rates=assumed_rates(connection, periods),
            backends=frozenset(BACKENDS),
            is_synthetic=is_synthetic(connection),
        )


def _made(kind: type[Row], found: Iterable[tuple[Any, ...]]) -> tuple[Row, ...]:
    return tuple(kind(*row) for row in found)


def _with_tuples(found: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Convert DuckDB's lists to tuples, for frozen rows."""
    for row in found:
        yield tuple(tuple(value) if isinstance(value, list) else value for value in row)


def _ask(
    connection: duckdb.DuckDBPyConnection, query: str, periods: Compared
) -> list[tuple[Any, ...]]:
    days = {
        "before": periods.before.first,
        "since": periods.now.first,
        "until": periods.now.last,
    }
    return connection.execute(
        query, {name: day for name, day in days.items() if f"${name}" in query}
    ).fetchall()


def _first_day(connection: duckdb.DuckDBPyConnection) -> date | None:
    [(first,)] = connection.execute("SELECT min(day) FROM marts.daily_spend").fetchall()
    return first  # type: ignore[no-any-return]  # a date or None
