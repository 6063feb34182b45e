"""File names of bills: providers number the parts of a delivery."""

import re
from collections.abc import Iterable

_NUMBERED = re.compile(r"^(.*?)[-_.]?(\d+)$")


def name_stem(name: str) -> str | None:
    """The name before the part number; None if the name does not end with a number."""
    found = _NUMBERED.match(name.partition(".")[0])
    return found.group(1) if found else None


def are_parts(names: Iterable[str]) -> bool:
    """Whether the names differ only in the part number."""
    all_names = [name.partition(".")[0] for name in names]
    stems = {name_stem(name) for name in all_names}
    return len(set(all_names)) == len(all_names) and len(stems) == 1 and None not in stems
