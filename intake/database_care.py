"""The weekly care of Dagster's records: VACUUM and ANALYZE, on PostgreSQL and on SQLite."""

from datetime import datetime
from typing import Final

from escriba.settings import Settings
from resources.backups import postgres_tools, sqlite_copies
from resources.storage.base import Storage

from .upkeep_notes import UpkeepNote, write_note

NAME: Final = "database_care"


def care_for_records(settings: Settings, bucket: Storage, now: datetime) -> UpkeepNote:
    """Compact the database and update its statistics; runs may go on meanwhile.

    Raises:
        BackupError: the database refused.
    """
    url = settings.dagster_postgres_url.get_secret_value()
    before = _size_bytes(settings)
    if url:
        postgres_tools.care(url)
    else:
        sqlite_copies.care(settings.dagster_home)
    after = _size_bytes(settings)
    headline = (
        f"Dagster's records were compacted: {before / 1e6:,.1f} MB before, {after / 1e6:,.1f} MB "
        "after."
    )
    note = UpkeepNote(name=NAME, at=now, headline=headline)
    write_note(bucket, note)
    return note


def _size_bytes(settings: Settings) -> int:
    url = settings.dagster_postgres_url.get_secret_value()
    if url:
        return postgres_tools.size_bytes(url)
    home = settings.dagster_home
    return sum((home / name).stat().st_size for name in sqlite_copies.databases(home))
