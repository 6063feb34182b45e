"""Turns new files in the inbox into runs. A shell over `intake.inbox_sweep.sweep_inbox`."""

import dagster as dg
from pydantic import ValidationError

from assets.recordings.partitions import add_partitions, new_keys
from escriba.masked_errors import masks_errors
from escriba.stages import RECORDINGS_JOB
from intake.inbox_sweep import Cursor, SweepLimits, SweepResult, batch_name, batches, sweep_inbox

from .running import run_of

INTERVAL_SECONDS = 30  # a file in a folder must stay unchanged this long before it is taken
_FULL = (
    "Dagster has 90,000 recordings, as many as it works with. New files wait until finished ones "
    "retire, which `retirement_schedule` looks after every hour."
)


@dg.sensor(
    name="inbox_sensor",
    job_name=RECORDINGS_JOB,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={"settings"},
    description="Starts runs of up to BATCH_SIZE recordings for new and changed files in inbox/.",
)
@masks_errors
def inbox_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """One sweep step; a store that cannot be listed fails the tick, unlike an empty inbox."""
    from intake.inbox import quarantine_new  # noqa: PLC0415  # the UI process loads no stores
    from resources.storage import open_storage  # noqa: PLC0415

    settings = context.resources.settings
    storage = open_storage(settings)
    before = _cursor(context)
    swept = sweep_inbox(storage, before)
    new, room = new_keys(context.instance, _keys(swept)) if swept.found else (set(), 0)
    if len(new) > room:
        if not room:
            return dg.SensorResult(skip_reason=_FULL)
        swept = sweep_inbox(storage, before, SweepLimits(taken=room))
    quarantine_new(storage, swept.refused)
    # in bulk and before the runs: Dagster itself queries the database once for each key
    add_partitions(context.instance, _keys(swept))
    return dg.SensorResult(
        run_requests=runs_of(swept, settings.batch_size),
        skip_reason=None if swept.found else _skip_reason(swept),
        cursor=swept.cursor.model_dump_json(),
    )


def runs_of(swept: SweepResult, size: int) -> list[dg.RunRequest]:
    """One run for each batch; its key identifies the files and versions, so it starts once."""
    return [
        run_of(
            [new.recording.partition_key for new in batch],
            run_key=f"inbox-{batch_name(batch)}",
            reason="new in the inbox",
        )
        for batch in batches(swept.found, size)
    ]


def _keys(swept: SweepResult) -> list[str]:
    return [new.recording.partition_key for new in swept.found]


def _cursor(context: dg.SensorEvaluationContext) -> Cursor:
    """The last tick's cursor; one of another version restarts the sweep, which is harmless."""
    try:
        return Cursor.model_validate_json(context.cursor) if context.cursor else Cursor()
    except ValidationError:
        context.log.warning("The cursor is from another version. The inbox is swept again.")
        return Cursor()


def _skip_reason(swept: SweepResult) -> str:
    if swept.cursor.growing:
        return f"{len(swept.cursor.growing)} new files; waiting until they have stopped growing."
    return "Nothing new so far; the sweep continues." if swept.more else "Nothing new in the inbox."
