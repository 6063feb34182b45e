"""Bounded labels: a series for each tenant or error would grow without end."""

from collections.abc import Collection
from typing import Final

OTHER: Final = "other"


def bounded_label(label: str, known: Collection[str], most: int) -> str:
    """The label itself if it is known or there is room for it, else `other`.

    Who has a label keeps it, and who has none never gets one later, so no series ever falls.

    >>> bounded_label("c", {"a", "b"}, 2)
    'other'
    """
    taken = sum(1 for one in known if one != OTHER)
    return label if label in known or (taken < most and OTHER not in known) else OTHER
