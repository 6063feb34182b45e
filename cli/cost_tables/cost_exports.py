"""Exports of all charges: `escriba costs --export-focus` and `--mirror`."""

from pathlib import Path

import click

from cli.cli_context import console, print_json
from cli.plain_errors import plain_errors
from escriba.settings import Settings
from resources.storage.base import Storage


def export_focus_file(settings: Settings, storage: Storage, target: Path, *, as_json: bool) -> None:
    """Update the cost tables from the bucket and write them as FOCUS to a Parquet file."""
    from intake.refresh_costs import refresh
    from resources.costs_database.focus_export import export_focus

    refresh(settings, storage)
    count = export_focus(settings.costs_database, target, settings.focus_version)
    if as_json:
        print_json({"file": str(target), "charges": count})
    else:
        console().print(f"{count:,} charges in {target}.")


def copy_to_postgres(settings: Settings, storage: Storage, *, as_json: bool) -> None:
    """Update the cost tables from the bucket and copy them to COSTS_POSTGRES_URL."""
    from intake.refresh_costs import refresh
    from resources.costs_database.postgres_mirror import MirrorError, mirror_costs

    url = settings.costs_postgres_url.get_secret_value()
    if not url:
        raise click.UsageError("COSTS_POSTGRES_URL is empty: set it to a PostgreSQL database.")
    with plain_errors(MirrorError):
        refresh(settings, storage)
        done = mirror_costs(settings.costs_database, url)
    if as_json:
        print_json({"tables": done.tables, "rows": done.rows})
    else:
        console().print(done.headline)
