"""Jobs that keep the house in order. Each leaves a note, which the digest shows."""

from datetime import UTC, datetime

import dagster as dg

from escriba.errors import EscribaError
from escriba.masked_errors import masks_errors
from escriba.settings import Settings
from escriba.text_for.plain_lines import log_line
from resources.storage.base import Storage
from sensors.running import keys_being_processed, keys_of


@dg.op(required_resource_keys={"settings"})
@masks_errors
def delete_expired(context: dg.OpExecutionContext) -> None:
    """Delete whatever is past its age and needed by nobody, and say what that freed."""
    from intake.cleanup.clean import (  # noqa: PLC0415  # the UI process loads no stores
        MOST_A_NIGHT,
        check_clock,
        clean,
        note_failed,
        note_postponed,
    )

    settings, storage = _settings_and_storage(context)
    now, instance = datetime.now(UTC), context.instance
    if keys_being_processed(instance) is None:
        context.log.warning("%s", note_postponed(storage, now).headline)
        return
    try:
        check_clock(storage, now)
        freed = clean(
            settings,
            storage,
            now,
            running=lambda: keys_being_processed(instance),
            at_most=MOST_A_NIGHT,
        )
    except EscribaError:
        note_failed(storage, now)
        raise
    context.log.info("%s", log_line(freed.headline))
    for trouble in freed.troubles:
        context.log.warning("%s", log_line(trouble))


@dg.job(description="Deletes what is past its age: originals, job records, logs, leftovers.")
def cleanup_job() -> None:
    """One op."""
    delete_expired()


@dg.op(required_resource_keys={"settings"})
@masks_errors
def back_up_records(context: dg.OpExecutionContext) -> None:
    """Back up Dagster's records, restore the backup into a scratch database, and compare."""
    from intake.backups.make import back_up, note_failed  # noqa: PLC0415  # the UI process loads no stores
    from resources.backups.backup_error import BackupError  # noqa: PLC0415

    settings, storage = _settings_and_storage(context)
    now = datetime.now(UTC)
    try:
        manifest = back_up(settings, storage, now)
    except BackupError as error:
        note_failed(storage, now)
        raise dg.Failure(str(error), allow_retries=False) from error
    context.log.info("Backup %s is whole.", manifest.name)


@dg.job(description="Backs up Dagster's records and the settings, and checks it by a restore.")
def backup_job() -> None:
    """One op."""
    back_up_records()


@dg.op(required_resource_keys={"settings"})
@masks_errors
def care_for_database(context: dg.OpExecutionContext) -> None:
    """VACUUM and ANALYZE Dagster's records, which otherwise grow and become slow."""
    from intake.database_care import care_for_records  # noqa: PLC0415  # the UI process loads no stores

    settings, storage = _settings_and_storage(context)
    context.log.info("%s", care_for_records(settings, storage, datetime.now(UTC)).headline)


@dg.job(description="Compacts Dagster's records and updates the statistics of their tables.")
def database_care_job() -> None:
    """One op."""
    care_for_database()


@dg.op(required_resource_keys={"settings"})
@masks_errors
def retire_finished(context: dg.OpExecutionContext) -> None:
    """Let finished recordings leave Dagster, then delete the old runs that nobody needs."""
    from assets.recordings.delete_runs import delete_runs  # noqa: PLC0415  # the UI process loads no stores
    from assets.recordings.retire_partitions import retire_partitions  # noqa: PLC0415
    from intake.upkeep_notes import UpkeepNote, write_note  # noqa: PLC0415

    settings, storage = _settings_and_storage(context)
    instance, now, days = context.instance, datetime.now(UTC), settings.partitions_days
    retired = retire_partitions(
        instance, storage, now, days, lambda: keys_being_processed(instance)
    )
    deleted = delete_runs(instance, now, max(settings.runs_days, days), keys_of)
    headline = f"{retired.headline} {deleted.headline}"
    context.log.info("%s", headline)
    write_note(storage, UpkeepNote(name="retirement", at=now, headline=headline))


@dg.job(description="Lets finished recordings leave Dagster, and deletes old runs and events.")
def retirement_job() -> None:
    """One op."""
    retire_finished()


def _settings_and_storage(context: dg.OpExecutionContext) -> tuple[Settings, Storage]:
    from resources.storage import open_storage  # noqa: PLC0415

    settings: Settings = context.resources.settings
    return settings, open_storage(settings)
