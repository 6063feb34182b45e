"""The configured backends that cannot take some of the recordings, by cause."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from escriba.billing.backend_exclusions import Block
from escriba.billing.routing import Considered, Route


@dataclass(frozen=True)
class Exclusion:
    """A backend, and the recordings that one cause excludes from it.

    reasons: as the router gives them, each once, in the order of the recordings.
    """

    backend: str
    sku: str
    cause: Block
    recordings: int
    reasons: tuple[str, ...]


def excluded_backends(routes: Iterable[Route]) -> list[Exclusion]:
    """One row per backend and cause, by backend."""
    found: defaultdict[tuple[str, str, Block], list[Considered]] = defaultdict(list)
    for route in routes:
        for one in route.considered:
            if one.blocked_by:
                found[one.backend, one.sku, one.blocked_by].append(one)
    return [
        Exclusion(*key, len(group), tuple(dict.fromkeys(one.excluded for one in group)))
        for key, group in sorted(found.items())
    ]


def exclusion_text(one: Exclusion, recordings: int) -> str:
    """One line for people. recordings: how many there are."""
    example = "for example: " if len(one.reasons) > 1 else ""
    return (
        f"{one.backend}/{one.sku} cannot take {one.recordings:,} of {recordings:,} "
        f"({one.cause}): {example}{one.reasons[0]}"
    )
