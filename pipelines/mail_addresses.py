"""Addresses of mail, as settings and tenants.yaml name them."""

import re
from collections.abc import Iterable

_ADDRESS = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+")


def check_addresses(addresses: Iterable[str]) -> None:
    """Raises ValueError at the first that is none."""
    for one in addresses:
        if not _ADDRESS.fullmatch(one):
            raise ValueError(f"{one!r} is no address such as costs@example.org")
