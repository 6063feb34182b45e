"""The limits and their burn out of the costs database; each level is told once per period."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from pipelines.billing.burn import Burn, Level, levels
from pipelines.billing.policy import Limits
from pipelines.billing.standing import Spent
from resources.storage.base import Storage

from .reading import read_only

TOLD = "ledger/told/"
# a scope that spent nothing in the month has no row in the mart, and all of its limit
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
    """As the marts have them; the worst first.

    spent: what the gate counts at this moment, which is newer than the marts are; with it stands
    what is reserved. The forecast is theirs.

    Raises:
        CostsNotBuiltError: they are not built.
        CostsBusyError: they are being built.
    """
    today = (now or datetime.now(UTC)).astimezone(UTC).date()
    with read_only(database, "marts.budget_burn", bucket) as costs:
        rows = costs.execute(_QUERY, {"month": today.replace(day=1)}).fetchall()
    burns = (Burn(row[0], today, *row[1:]) for row in rows)
    return levels((_with(burn, spent) for burn in burns), warn_share)


def levels_now(
    limits: Mapping[str, Limits], spent: Spent, warn_share: Decimal, now: datetime
) -> list[Level]:
    """By the gate's count alone, where there are no marts: without any forecast."""
    today, nothing = now.astimezone(UTC).date(), Decimal(0)
    burns = (
        Burn(scope, today, *[nothing] * 6, day_usd=of.day_usd, month_usd=of.month_usd)
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


def tell_once(storage: Storage, found: Iterable[Level]) -> list[Level]:
    """Those that nobody was told of in this period: whoever creates the record tells."""
    return [one for one in found if one.state != "ok" and storage.create(_key(one), _text(one))]


def _key(level: Level) -> str:
    period, _, name = level.key.partition("/")
    return f"{TOLD}{period}/{quote(name, safe='')}.txt"


def _text(level: Level) -> bytes:
    return f"{level.sentence}\n".encode()
