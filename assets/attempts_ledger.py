"""attempts_ledger: all attempts together, unpartitioned; what analytics hang on.

Nothing hangs on the chain itself: an automation condition on a partitioned asset costs seconds a
tick and never fires while one partition is missing.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from resources.storage.base import Storage, Stored

from .cost_limits import cost_limits
from .tenants import tag_rules

if TYPE_CHECKING:
    from pipelines.settings import Settings

ATTEMPTS_LEDGER = "attempts_ledger"
WAIT_SECONDS = 60  # whoever has the costs database open may be done by then
_DAYS_WATCHED = 3  # a row lies under the day its attempt began, and attempts are shorter
_TOTALS = """
    SELECT count(*), count(DISTINCT tenant), coalesce(sum(cost_usd), 0),
           coalesce(sum(audio_seconds) FILTER (status IN ('done', 'none')), 0) / 3600,
           max(ended_at)
    FROM ledger.attempts
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
    """Loads what is new into the costs database: a damaged file is found before it is added up."""
    from resources.costs.loading import load_ledger  # noqa: PLC0415
    from resources.costs.reading import read_only  # noqa: PLC0415
    from resources.costs.standing import CostsBusyError  # noqa: PLC0415
    from resources.storage import open_storage  # noqa: PLC0415

    settings: Settings = context.resources.settings
    storage = open_storage(settings)
    mark = high_water_mark(storage)
    try:
        loaded = load_ledger(
            storage,
            settings.costs_database,
            cost_limits(settings),
            tag_rules(settings.tenants_file),
        )
        with read_only(settings.costs_database) as costs:
            [(rows, tenants, cost, hours, newest)] = costs.execute(_TOTALS).fetchall()
    except CostsBusyError as error:
        raise dg.RetryRequested(max_retries=5, seconds_to_wait=WAIT_SECONDS) from error
    yield dg.MaterializeResult(
        metadata={
            "attempts": rows,
            "new_rows": loaded.rows,
            "tenants": tenants,
            "cost_usd": float(cost),
            "audio_hours": float(hours),
            "newest": dg.MetadataValue.timestamp(newest) if newest else dg.MetadataValue.null(),
            "high_water_mark": mark,
        },
        data_version=dg.DataVersion(mark or "empty"),
    )
