"""Mail addresses in settings and tenants.yaml."""

import re
from collections.abc import Iterable

_ADDRESS = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+")


def check_addresses(addresses: Iterable[str]) -> None:
    """Raises ValueError at the first text that is not an address."""
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"{address!r} is not a mail address such as costs@example.org")
