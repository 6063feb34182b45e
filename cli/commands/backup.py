"""`escriba backup`: back up Dagster's records and the settings."""

from datetime import UTC, datetime

import click

from cli.cli_context import console, json_option, open_context, print_json
from intake.backups.make import back_up
from intake.backups.manifest import Manifest, backup_storage, find_backup, whole_backups
from intake.backups.verify import verify
from resources.backups.backup_error import BackupError


@click.command()
@click.option("--list", "only_list", is_flag=True, help="List the whole backups, oldest first.")
@click.option("--verify", "only_verify", is_flag=True, help="Check the newest backup again.")
@json_option
def command(*, only_list: bool, only_verify: bool, as_json: bool) -> None:
    """Back up Dagster's records (PostgreSQL or SQLite), the settings without secrets, and tenants.

    The backup is restored into a scratch database and compared. It is written to BACKUP_URL and
    kept for BACKUPS_DAYS. `escriba up` does the same every night at BACKUP_AT. Recordings,
    transcripts and the ledger are in the bucket: see docs/operations.md#backup.
    """
    settings, storage = open_context()
    place = backup_storage(settings)
    try:
        if only_list:
            shown = list(whole_backups(place))
        elif only_verify:
            shown = [find_backup(place)]
            verify(settings, place, shown[0])
        else:
            shown = [back_up(settings, storage, datetime.now(UTC))]
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print_json([one.model_dump(mode="json") for one in shown])
        return
    for one in shown:
        console().print(_line(one, is_checked=not only_list))


def _line(one: Manifest, *, is_checked: bool) -> str:
    megabytes = sum(part.size_bytes for part in one.parts.values()) / 1e6
    checked = ", checked by a restore" if is_checked else ""
    return (
        f"{one.name}  {one.database}, {sum(one.rows.values()):,} rows, {megabytes:,.1f} MB, "
        f"Escriba {one.escriba}{checked}"
    )
