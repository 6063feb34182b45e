"""attempts_ledger: all attempts together, unpartitioned; what analytics hang on.

Nothing hangs on the chain itself: an automation condition on a partitioned asset costs seconds a
tick and never fires while one partition is missing.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from resources.storage.base import Storage, Stored

ATTEMPTS_LEDGER = "attempts_ledger"
_DAYS_WATCHED = 3  # a row lies under the day its attempt began, and attempts are shorter
_TOTALS = """
    SELECT count(*), count(DISTINCT tenant), coalesce(sum(cost_usd), 0),
           coalesce(sum(audio_seconds) FILTER (status IN ('done', 'none')), 0) / 3600,
           max(ended_at)
    FROM attempts
"""


def high_water_mark(storage: Storage, today: datetime | None = None) -> str:
    """Changes with every file that is added to the ledger; empty where there is none."""
    from resources.ledger_writer import ATTEMPTS  # noqa: PLC0415  # no store while the UI only looks

    since = (today or datetime.now(UTC)) - timedelta(days=_DAYS_WATCHED)
    listing = storage.list(ATTEMPTS, after=f"{ATTEMPTS}date={since:%Y-%m-%d}")
    keys = sorted(found.key for found in listing if isinstance(found, Stored))
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:32] if keys else ""


@dg.asset(
    name=ATTEMPTS_LEDGER,
    group_name="costs",
    kinds={"parquet", "duckdb"},
    owners=["team:transcription"],
    description="Every attempt at every job, the failed ones too, as ledger/attempts/ holds them.",
    required_resource_keys={"settings"},
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=49), warn_window=timedelta(hours=25)
    ),
)
def attempts_ledger(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Reads the whole ledger, so that a damaged file is found before somebody adds it up."""
    from resources.ledger import open_ledger  # noqa: PLC0415
    from resources.storage import open_storage  # noqa: PLC0415

    storage = open_storage(context.resources.settings)
    mark = high_water_mark(storage)
    with open_ledger(storage) as ledger:
        rows, tenants, cost, hours, newest = ledger.execute(_TOTALS).fetchone()
    yield dg.MaterializeResult(
        metadata={
            "attempts": rows,
            "tenants": tenants,
            "cost_usd": float(cost),
            "audio_hours": float(hours),
            "newest": dg.MetadataValue.timestamp(newest) if newest else dg.MetadataValue.null(),
            "high_water_mark": mark,
        },
        data_version=dg.DataVersion(mark or "empty"),
    )
