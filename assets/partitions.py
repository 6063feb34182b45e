"""One dynamic partition for each recording."""

import dagster as dg

PARTITIONS_NAME = "recordings"
recordings_partitions = dg.DynamicPartitionsDefinition(name=PARTITIONS_NAME)
ADD_AT_ONCE = 5_000  # SQLite refuses 300,000 in one call; this many take 0.1 s


def add_partitions(instance: dg.DagsterInstance, keys: list[str]) -> None:
    """Add keys in bulk; those that exist already stay as they are."""
    for first in range(0, len(keys), ADD_AT_ONCE):
        instance.add_dynamic_partitions(PARTITIONS_NAME, keys[first : first + ADD_AT_ONCE])
