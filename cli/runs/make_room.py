"""Keeps Dagster below the number of recordings that it works with, where no daemon runs."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from escriba.settings import Settings

if TYPE_CHECKING:
    import dagster as dg


def make_room(instance: "dg.DagsterInstance", settings: Settings, keys: list[str]) -> None:
    """Let finished recordings leave Dagster if it would have too many with these."""
    from assets.recordings.partitions import new_keys
    from assets.recordings.retire_partitions import retire_partitions
    from resources.storage import open_storage
    from sensors.running import keys_being_processed

    new, room = new_keys(instance, keys)
    if len(new) > room:
        retire_partitions(
            instance,
            open_storage(settings),
            datetime.now(UTC),
            settings.partitions_days,
            lambda: keys_being_processed(instance),
        )
