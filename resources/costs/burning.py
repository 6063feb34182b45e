"""The limits and their burn out of the costs database; each level is told once per period."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from pipelines.billing.burn import Burn, Level, levels
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
    database: Path, warn_share: Decimal, now: datetime | None = None, *, bucket: str = ""
) -> list[Level]:
    """As the marts have them; the worst first.

    Raises:
        CostsNotBuiltError: they are not built.
        CostsBusyError: they are being built.
    """
    today = (now or datetime.now(UTC)).astimezone(UTC).date()
    with read_only(database, "marts.budget_burn", bucket) as costs:
        rows = costs.execute(_QUERY, {"month": today.replace(day=1)}).fetchall()
    return levels((Burn(row[0], today, *row[1:]) for row in rows), warn_share)


def tell_once(storage: Storage, found: Iterable[Level]) -> list[Level]:
    """Those that nobody was told of in this period: whoever creates the record tells."""
    return [one for one in found if one.state != "ok" and storage.create(_key(one), _text(one))]


def _key(level: Level) -> str:
    period, _, name = level.key.partition("/")
    return f"{TOLD}{period}/{quote(name, safe='')}.txt"


def _text(level: Level) -> bytes:
    return f"{level.sentence}\n".encode()
