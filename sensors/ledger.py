"""Rebuilds `attempts_ledger` and the cost marts after it when the ledger has new rows."""

import dagster as dg

from assets.costs.attempts_ledger import attempts_ledger, high_water_mark
from assets.costs.cost_marts import cost_marts
from assets.costs.costs_mirror import costs_mirror
from escriba.masked_errors import masks_errors


@dg.sensor(
    name="ledger_sensor",
    target=[attempts_ledger, cost_marts, costs_mirror],
    minimum_interval_seconds=300,  # a build takes about 15 CPU seconds, mostly to start dbt
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={"settings"},
    description="Rebuilds attempts_ledger and the cost marts when the ledger has new rows.",
)
@masks_errors
def ledger_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """The run key is the ledger's high-water mark, so that each of its states is built once."""
    from resources.storage import open_storage  # noqa: PLC0415  # the UI process loads no stores

    mark = high_water_mark(open_storage(context.resources.settings))
    if not mark or mark == context.cursor:
        return dg.SensorResult(skip_reason="No new rows in the ledger.", cursor=mark)
    tags = {"escriba/reason": "new rows in the ledger"}
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=mark, tags=tags)], cursor=mark)
