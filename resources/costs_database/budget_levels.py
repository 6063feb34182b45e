"""Budget limits and their use, from the costs database; each level is reported once per period."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from escriba.billing.budget_burn import Burn, Level, levels
from escriba.billing.permissions import SpendLimits
from escriba.billing.spent_totals import Spent
from resources.storage.base import Storage

from .read_only import read_only

REPORTED = "ledger/told/"
# a scope that spent nothing in the month has no row in the mart, and its whole limit left
_QUERY = """
    SELECT scope, coalesce(spent_usd, 0), coalesce(today_usd, 0), coalesce(usd_a_day, 0),
           coalesce(forecast_usd, 0), coalesce(forecast_low_usd, 0),
           coalesce(forecast_high_usd, 0), limits.day_usd, limits.month_usd
    FROM ledger.limits AS limits
    LEFT JOIN (FROM marts.budget_burn WHERE month = $month) AS burn USING (scope)
    ORDER BY scope
"""


def read_levels(
    database: Path,
    warn_share: Decimal,
    now: datetime | None = None,
    *,
    bucket: str = "",
    spent: Spent | None = None,
) -> list[Level]:
    """The levels of all limits, by the marts; the worst first.

    spent: the current count of the budget limits, which is newer than the marts and includes
    reservations. The forecast comes from the marts.

    Raises:
        CostsNotBuiltError: the marts are not built.
        CostsBusyError: the marts are being built.
    """
    today = (now or datetime.now(UTC)).astimezone(UTC).date()
    with read_only(database, "marts.budget_burn", bucket) as costs:
        rows = costs.execute(_QUERY, {"month": today.replace(day=1)}).fetchall()
    burns = (Burn(row[0], today, *row[1:]) for row in rows)
    return levels((_with(burn, spent) for burn in burns), warn_share)


def levels_now(
    limits: Mapping[str, SpendLimits], spent: Spent, warn_share: Decimal, now: datetime
) -> list[Level]:
    """The levels without marts, by the current count alone: without a forecast."""
    today, nothing = now.astimezone(UTC).date(), Decimal(0)
    burns = (
        Burn(
            scope=scope,
            today=today,
            spent_usd=nothing,
            today_usd=nothing,
            usd_a_day=nothing,
            forecast_usd=nothing,
            forecast_low_usd=nothing,
            forecast_high_usd=nothing,
            day_usd=of.day_usd,
            month_usd=of.month_usd,
        )
        for scope, of in limits.items()
    )
    return levels((_with(burn, spent) for burn in burns), warn_share)


def _with(burn: Burn, spent: Spent | None) -> Burn:
    if spent is None:
        return burn
    today, month, reserved_today, reserved = spent.of(burn.scope)
    return replace(
        burn,
        today_usd=today,
        spent_usd=month,
        forecast_usd=max(burn.forecast_usd, month),
        forecast_low_usd=max(burn.forecast_low_usd, month),
        forecast_high_usd=max(burn.forecast_high_usd, month),
        reserved_today_usd=reserved_today,
        reserved_usd=reserved,
    )


def report_once(storage: Storage, found: Iterable[Level]) -> list[Level]:
    """The levels not reported yet in this period: the process that creates the record reports."""
    return [one for one in found if one.state != "ok" and storage.create(_key(one), _text(one))]


def _key(level: Level) -> str:
    period, _, name = level.key.partition("/")
    return f"{REPORTED}{period}/{quote(name, safe='')}.txt"


def _text(level: Level) -> bytes:
    return f"{level.sentence}\n".encode()
