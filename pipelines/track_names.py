"""How a track is named in settings, tenants and options: `auto`, `all`, or its number from 1."""

from typing import Literal

AUTO, ALL = "auto", "all"


def check_track(text: str | int) -> str:
    """The name itself; ValueError for what names no track."""
    name = str(text).strip().lower()
    if name in {AUTO, ALL} or (name.isdecimal() and int(name) >= 1):
        return name if name in {AUTO, ALL} else str(int(name))
    raise ValueError(f"{text!r} is no track: give 'auto', 'all', or a number from 1")


def number_of(track: str) -> int | None:
    """The number that a name gives; None for `auto` and `all`."""
    return int(track) if track.isdecimal() else None


def is_all(track: str) -> Literal["all"] | None:
    """`all` itself, or None."""
    return "all" if track == ALL else None
