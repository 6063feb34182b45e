"""What falls into the inbox becomes runs. A shell over `assets.intake.look`."""

import dagster as dg
from pydantic import ValidationError

from assets.intake import Cursor, Look, batch_name, batches, look
from assets.names import RECORDINGS_JOB
from assets.partitions import add_partitions

from .running import run_of

INTERVAL_SECONDS = 30  # a file in a folder must look the same for as long before it is taken


@dg.sensor(
    name="inbox_sensor",
    job_name=RECORDINGS_JOB,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={"settings"},
    description="New and overwritten files below inbox/ become runs of up to BATCH_SIZE keys.",
)
def inbox_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """One look; a store that cannot be listed is a failed tick, and never an empty inbox."""
    from assets.inbox import quarantine_new  # noqa: PLC0415  # no store while the UI only looks
    from resources.storage import open_storage  # noqa: PLC0415

    settings = context.resources.settings
    storage = open_storage(settings)
    seen = look(storage, _cursor(context))
    quarantine_new(storage, seen.refused)
    # in bulk and before the runs: a sensor's own way asks the database once for each key
    add_partitions(context.instance, [one.recording.partition_key for one in seen.found])
    return dg.SensorResult(
        run_requests=runs_of(seen, settings.batch_size),
        skip_reason=None if seen.found else _why_nothing(seen),
        cursor=seen.cursor.model_dump_json(),
    )


def runs_of(seen: Look, size: int) -> list[dg.RunRequest]:
    """A run for each batch; its key tells the files and their versions, so it is made once."""
    return [
        run_of(
            [one.recording.partition_key for one in batch],
            run_key=f"inbox-{batch_name(batch)}",
            reason="new in the inbox",
        )
        for batch in batches(seen.found, size)
    ]


def _cursor(context: dg.SensorEvaluationContext) -> Cursor:
    """Where the last tick ended; one of another version begins anew, which takes nothing twice."""
    try:
        return Cursor.model_validate_json(context.cursor) if context.cursor else Cursor()
    except ValidationError:
        context.log.warning("The cursor is of another version; the inbox is looked at from anew.")
        return Cursor()


def _why_nothing(seen: Look) -> str:
    if seen.cursor.growing:
        return f"{len(seen.cursor.growing)} files are new; taken when they have stopped growing."
    return "Nothing new so far; the sweep goes on." if seen.more else "Nothing new in the inbox."
