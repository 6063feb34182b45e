"""The marts in PostgreSQL, if COSTS_POSTGRES_URL is set."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from escriba.masked_errors import masks_errors

from .attempts_ledger import WAIT_SECONDS
from .dbt_models import marts

if TYPE_CHECKING:
    from escriba.settings import Settings


@dg.asset(
    name="costs_mirror",
    deps=[mart.name for mart in marts()],
    group_name="costs",
    kinds={"postgres"},
    owners=["team:transcription"],
    description="The marts and one row per job in PostgreSQL, if COSTS_POSTGRES_URL is set.",
    required_resource_keys={"settings"},
    output_required=False,
)
@masks_errors
def costs_mirror(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Send the days that differ; without the setting there is no mirror, which is not a failure."""
    from resources.costs_database.database_file import CostsBusyError  # noqa: PLC0415
    from resources.costs_database.postgres_mirror import MirrorError, mirror_costs  # noqa: PLC0415

    settings: Settings = context.resources.settings
    url = settings.costs_postgres_url.get_secret_value()
    if not url:
        context.log.info("COSTS_POSTGRES_URL is empty: no mirror is written.")
        return
    try:
        done = mirror_costs(settings.costs_database, url)
    except CostsBusyError as error:
        raise dg.RetryRequested(max_retries=5, seconds_to_wait=WAIT_SECONDS) from error
    except MirrorError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    yield dg.MaterializeResult(
        metadata={"tables": done.tables, "new_days": done.days, "new_rows": done.rows}
    )
