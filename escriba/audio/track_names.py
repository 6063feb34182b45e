"""How a track is named in settings, tenants and options: `auto`, `all`, or its number from 1."""

from dataclasses import dataclass
from typing import Final, Literal

AUTO, ALL = "auto", "all"


@dataclass(frozen=True)
class TrackRequest:
    """The requested track: a number (1 is the first), a language such as `pt`, or neither."""

    number: int | None = None
    language: str = ""


ANY_TRACK: Final = TrackRequest()


def check_track(text: str | int) -> str:
    """The track name, normalized; ValueError if it is none of them."""
    name = str(text).strip().lower()
    if name in {AUTO, ALL} or (name.isdecimal() and int(name) >= 1):
        return name if name in {AUTO, ALL} else str(int(name))
    raise ValueError(f"{text!r} is not a track: use 'auto', 'all', or a number from 1")


def number_of(track: str) -> int | None:
    """The number of the track; None for `auto` and `all`."""
    return int(track) if track.isdecimal() else None


def is_all(track: str) -> Literal["all"] | None:
    """`all`, or None for any other name."""
    return "all" if track == ALL else None
