"""One dynamic partition per recording."""

from collections.abc import Iterable

import dagster as dg
from sqlalchemy.exc import IntegrityError

PARTITIONS_NAME = "recordings"
recordings_partitions = dg.DynamicPartitionsDefinition(name=PARTITIONS_NAME)
ADD_AT_ONCE = 5_000  # SQLite refuses 300,000 in one call; 5,000 take 0.1 s
_TRIES = 5
MOST_ALIVE = 90_000  # Dagster documents a limit of 100,000 partitions of an asset


def add_partitions(instance: dg.DagsterInstance, keys: list[str]) -> None:
    """Add keys in bulk; existing keys are not changed."""
    unique = list(dict.fromkeys(keys))
    for first in range(0, len(unique), ADD_AT_ONCE):
        _add(instance, unique[first : first + ADD_AT_ONCE])


def _add(instance: dg.DagsterInstance, keys: list[str]) -> None:
    """Add keys; retries, since another process may add some between Dagster's read and insert."""
    for left in reversed(range(_TRIES)):
        try:
            instance.add_dynamic_partitions(PARTITIONS_NAME, keys)
        except IntegrityError:
            if not left:
                raise
        else:
            return


def new_keys(instance: dg.DagsterInstance, keys: Iterable[str]) -> tuple[set[str], int]:
    """Those of the keys that are no partitions yet, and how many may become some now."""
    alive = set(instance.get_dynamic_partitions(PARTITIONS_NAME))
    return set(keys) - alive, max(0, MOST_ALIVE - len(alive))
