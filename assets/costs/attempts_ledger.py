"""attempts_ledger: all attempts in one unpartitioned asset, the base of the cost marts.

Cost assets do not depend on the chain itself: an automation condition on a partitioned asset costs
seconds per tick and never fires while a partition is missing.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from escriba.masked_errors import masks_errors
from intake.cost_limits import cost_limits
from intake.tenants import tag_rules
from resources.ledger.audio_counts import AUDIO_SECONDS
from resources.storage.base import Storage, StoredObject

if TYPE_CHECKING:
    from escriba.settings import Settings

ATTEMPTS_LEDGER = "attempts_ledger"
WAIT_SECONDS = 60  # before a retry if another process has the cost tables open
_DAYS_WATCHED = 3  # a row is stored under the day its attempt started, and attempts are shorter
_TOTALS = f"""
    SELECT count(*), count(DISTINCT tenant), coalesce(sum(cost_usd), 0),
           coalesce(sum({AUDIO_SECONDS}) FILTER (status IN ('done', 'none')), 0) / 3600,
           max(ended_at)
    FROM ledger.attempts
"""  # noqa: S608  # our own words


def high_water_mark(storage: Storage, today: datetime | None = None) -> str:
    """A digest that changes with every file added to the ledger; empty if there is none."""
    from resources.ledger.tables import ATTEMPTS  # noqa: PLC0415  # the UI process loads no stores

    since = (today or datetime.now(UTC)) - timedelta(days=_DAYS_WATCHED)
    listing = storage.list(ATTEMPTS, after=f"{ATTEMPTS}date={since:%Y-%m-%d}")
    keys = sorted(found.key for found in listing if isinstance(found, StoredObject))
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:32] if keys else ""


@dg.asset(
    name=ATTEMPTS_LEDGER,
    group_name="costs",
    kinds={"parquet", "duckdb"},
    owners=["team:transcription"],
    description="Every attempt at every job, including failed ones, from ledger/attempts/.",
    required_resource_keys={"settings"},
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=49), warn_window=timedelta(hours=25)
    ),
)
@masks_errors
def attempts_ledger(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Load new rows into the cost tables, so that a damaged file is found before the marts."""
    from resources.costs_database.database_file import CostsBusyError  # noqa: PLC0415
    from resources.storage import open_storage  # noqa: PLC0415

    settings: Settings = context.resources.settings
    storage = open_storage(settings)
    mark = high_water_mark(storage)
    try:
        metadata = _load(settings, storage)
    except CostsBusyError as error:
        raise dg.RetryRequested(max_retries=5, seconds_to_wait=WAIT_SECONDS) from error
    yield dg.MaterializeResult(
        metadata=metadata | {"high_water_mark": mark},
        data_version=dg.DataVersion(mark or "empty"),
    )


def _load(settings: "Settings", storage: Storage) -> dict[str, Any]:
    """Load new rows; returns the metadata of the materialization."""
    from resources.costs_database.load_ledger import load_ledger  # noqa: PLC0415
    from resources.costs_database.read_only import read_only  # noqa: PLC0415

    limits, tags = cost_limits(settings), tag_rules(settings.tenants_file)
    loaded = load_ledger(storage, settings.costs_database, limits, tags)
    with read_only(settings.costs_database) as costs:
        [(rows, tenants, cost, hours, newest)] = costs.execute(_TOTALS).fetchall()
    return {
        "attempts": rows,
        "new_rows": loaded.rows,
        "tenants": tenants,
        "cost_usd": float(cost),
        "audio_hours": float(hours),
        "newest": dg.MetadataValue.timestamp(newest) if newest else dg.MetadataValue.null(),
    }
