"""Jobs that keep the house in order. Each leaves a note, which the digest shows."""

from datetime import UTC, datetime

import dagster as dg

from escriba.masked_errors import masks_errors
from escriba.settings import Settings
from escriba.text_for.plain_lines import log_line
from resources.storage.base import Storage
from sensors.running import keys_being_processed


@dg.op(required_resource_keys={"settings"})
@masks_errors
def delete_expired(context: dg.OpExecutionContext) -> None:
    """Delete whatever is past its age and needed by nobody, and say what that freed."""
    from intake.cleanup.clean import MOST_A_NIGHT, clean, note_postponed  # noqa: PLC0415  # the UI process loads no stores

    settings, storage = _settings_and_storage(context)
    now, running = datetime.now(UTC), keys_being_processed(context.instance)
    if running is None:
        context.log.warning("%s", note_postponed(storage, now).headline)
        return
    freed = clean(settings, storage, now, running_keys=running, at_most=MOST_A_NIGHT)
    context.log.info("%s", log_line(freed.headline))
    for trouble in freed.troubles:
        context.log.warning("%s", log_line(trouble))


@dg.job(description="Deletes what is past its age: originals, job records, logs, leftovers.")
def cleanup_job() -> None:
    """One op."""
    delete_expired()


def _settings_and_storage(context: dg.OpExecutionContext) -> tuple[Settings, Storage]:
    from resources.storage import open_storage  # noqa: PLC0415

    settings: Settings = context.resources.settings
    return settings, open_storage(settings)
