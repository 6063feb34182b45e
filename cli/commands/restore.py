"""`escriba restore`: put Dagster's records back from a backup."""

import click

from cli.cli_context import console, json_option, open_context, print_json
from cli.dagster_home import dagster_home
from cli.processes.one_at_a_time import only_up
from intake.backups.manifest import backup_storage, find_backup
from intake.backups.restore import restore
from resources.backups.backup_error import BackupError


@click.command()
@click.argument("backup", default="")
@click.option("--yes", is_flag=True, help="Replace records that are there.")
@json_option
def command(backup: str, *, yes: bool, as_json: bool) -> None:
    """Put Dagster's records back from BACKUP, or from the newest one.

    Stop `escriba up` first. The database of DAGSTER_POSTGRES_URL, or DAGSTER_HOME, must be empty,
    unless --yes replaces what is there. `escriba backup --list` lists the backups.
    """
    settings, _ = open_context()
    place = backup_storage(settings)
    try:
        manifest = find_backup(place, backup)
        with only_up(dagster_home(settings), 0):
            restore(settings, place, manifest, overwrite=yes)
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print_json(manifest.model_dump(mode="json"))
        return
    console().print(
        f"Restored {sum(manifest.rows.values()):,} rows of backup {manifest.name}. Its settings "
        f"are in {place.url}/backups/{manifest.name}/settings.env; secrets are not. Run `escriba "
        "doctor`, then `escriba up`."
    )
