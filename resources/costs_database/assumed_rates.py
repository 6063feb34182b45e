"""The assumed exchange rates behind the sums of a report or a statement."""

from typing import Any

import duckdb

from escriba.reports.finance_figures import AssumedRate
from escriba.reports.periods import Compared

# amounts billed beside machines, or unexplained ones, use the rate of their bill; a run, a boot and
# an idle worker use the rate of their price
_RATES = """
    WITH of_bills AS (
        SELECT DISTINCT day, backend FROM marts.daily_spend
        WHERE is_by_assumed_rate AND category NOT IN ('run', 'failed_run', 'boot', 'idle')
          AND day BETWEEN $since AND $until AND $tenant IN ('', tenant)
    )
    SELECT rate_source, list(DISTINCT backend ORDER BY backend) FROM (
        SELECT rate_source, backend
        FROM of_bills JOIN intermediate.int_invoice_days USING (day, backend)
        WHERE starts_with(rate_source, 'assumed')
        UNION ALL
        SELECT prices.rate_source, charges.backend
        FROM intermediate.int_attempt_charges AS charges
        JOIN staging.stg_prices AS prices
          ON (prices.backend, prices.sku) = (charges.backend, charges.sku)
         AND charges.day >= prices.valid_from::DATE AND charges.day < prices.valid_to::DATE
        WHERE charges.is_by_assumed_rate AND prices.is_by_assumed_rate
          AND day BETWEEN $since AND $until AND $tenant IN ('', tenant)
    ) GROUP BY 1 ORDER BY 1
"""


def assumed_rates(
    costs: duckdb.DuckDBPyConnection, periods: Compared, tenant: str = ""
) -> tuple[AssumedRate, ...]:
    """The rates of the period and the one before; tenant: only those of its sums."""
    values: dict[str, Any] = {
        "since": periods.before.first,
        "until": periods.now.last,
        "tenant": tenant,
    }
    return tuple(
        AssumedRate(rate, tuple(backends))
        for rate, backends in costs.execute(_RATES, values).fetchall()
    )
