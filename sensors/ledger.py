"""New rows in the ledger rebuild `attempts_ledger`, and the marts of costs behind it."""

import dagster as dg

from assets.attempts_ledger import attempts_ledger, high_water_mark
from assets.cost_marts import cost_marts
from assets.costs_mirror import costs_mirror


@dg.sensor(
    name="ledger_sensor",
    target=[attempts_ledger, cost_marts, costs_mirror],
    minimum_interval_seconds=300,  # a build takes some 15 CPU seconds, dbt's own start most of them
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={"settings"},
    description="Rebuilds attempts_ledger and the marts when rows were added.",
)
def ledger_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """The run key is the ledger's high-water mark: each state of it is built once."""
    from resources.storage import open_storage  # noqa: PLC0415  # no store while the UI only looks

    mark = high_water_mark(open_storage(context.resources.settings))
    if not mark or mark == context.cursor:
        return dg.SensorResult(skip_reason="No new rows in the ledger.", cursor=mark)
    tags = {"escriba/reason": "new rows in the ledger"}
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=mark, tags=tags)], cursor=mark)
