"""What a batch run tells Dagster of each partition. Alone touches Dagster's private names.

A run over explicit keys has no partition tags, so Dagster plans nothing: a partition shows as
failed where a planned event in a failed run has no materialization after it.
"""

import dagster as dg
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent

from .names import STAGES
from .progress import Outcome, StageMade


def log_outcome(context: dg.AssetExecutionContext, outcome: Outcome) -> None:
    """A materialization for each stage that stands. No word of the transcript is in it."""
    for made in outcome.made:
        context.log_event(
            dg.AssetMaterialization(
                asset_key=made.stage,
                partition=outcome.recording.partition_key,
                metadata=_metadata(made),
            )
        )


def mark_failed(context: dg.AssetExecutionContext, outcome: Outcome, selected: set[str]) -> None:
    """The failed stage and those behind it become red for this partition."""
    if outcome.failed is None:
        return
    step = context.op_execution_context.get_step_execution_context().step.key
    for stage in STAGES[STAGES.index(outcome.failed.stage) :]:
        if stage in selected:
            planned = AssetMaterializationPlannedData(
                dg.AssetKey(stage),
                partition=outcome.recording.partition_key,
                partitions_subset=None,
            )
            event = DagsterEvent.build_asset_materialization_planned_event(
                context.run.job_name, step, planned
            )
            context.instance.report_dagster_event(event, context.run.run_id)


def _metadata(made: StageMade) -> dict[str, dg.MetadataValue]:
    values: dict[str, dg.MetadataValue] = {
        "reused": dg.MetadataValue.bool(made.reused),
        "seconds": dg.MetadataValue.float(round(made.seconds, 4)),
    }
    for name, value in made.numbers.items():
        values[name] = _value(value)
    return values


def _value(value: float | str | bool | None) -> dg.MetadataValue:  # noqa: FBT001  # a value, not a switch
    if value is None:
        return dg.MetadataValue.null()
    if isinstance(value, bool):
        return dg.MetadataValue.bool(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    if isinstance(value, float):
        return dg.MetadataValue.float(value)
    return dg.MetadataValue.text(value)
