"""Limits on money that are nearly used up, or are: a check of `budget_burn`, told once."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from pipelines.settings import Settings

EVERY_LIMIT_HOLDS = "every_limit_holds"
_BURN = "budget_burn"
LIMITS_CHECK = dg.AssetCheckSpec(
    EVERY_LIMIT_HOLDS,
    asset=_BURN,
    description="No limit on money is used beyond BUDGET_WARN_SHARE, nor will be by the forecast.",
)


def tell_of_limits(context: dg.AssetExecutionContext, settings: "Settings") -> Iterator[Any]:
    """The check, always; an observation and a line in the log for what is new in its period."""
    from resources.costs.burning import read_levels, tell_once  # noqa: PLC0415
    from resources.gpu.opening import count_now  # noqa: PLC0415
    from resources.storage import open_storage  # noqa: PLC0415

    storage = open_storage(settings)
    spent = count_now(settings, storage)
    found = read_levels(settings.costs_database, settings.budget_warn_share, spent=spent)
    for level in tell_once(storage, found):
        context.log.warning("%s", level.sentence)
        told = {"level": level.state, "limit": level.limit, "sentence": level.sentence}
        context.log_event(dg.AssetObservation(_BURN, metadata=told))
    states = {level.state for level in found}
    severity = dg.AssetCheckSeverity.ERROR if "stop" in states else dg.AssetCheckSeverity.WARN
    yield dg.AssetCheckResult(
        passed=states <= {"ok"},
        asset_key=_BURN,
        check_name=EVERY_LIMIT_HOLDS,
        severity=severity,
        metadata={one.limit: one.sentence for one in found},
    )
