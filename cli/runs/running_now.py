"""The recordings that Dagster's runs are processing now."""

from escriba.settings import Settings


def running_keys(settings: Settings) -> set[str] | None:
    """Return the partitions of runs in progress; empty if Dagster was never started here.

    None: a backfill from the UI is in progress, and may need any of them.
    """
    if not (settings.dagster_home / "dagster.yaml").exists():
        return set()
    from sensors.running import keys_being_processed

    from .run_recordings import open_instance

    with open_instance(settings) as instance:
        return keys_being_processed(instance)
