"""Colours of the page and its charts, by day and by night; after Okabe and Ito's palette.

Charts name them as CSS variables, so that one picture serves both; a PNG is of the day.
"""

import json
from typing import Any

DAY = {
    "page": "#ffffff",
    "card": "#f6f7f9",
    "ink": "#1b1f24",
    "muted": "#59636e",
    "line": "#d5dae0",
    "blue": "#0072b2",
    "orange": "#d98200",
    "green": "#008a63",
    "pink": "#b5588f",
    "sky": "#3a9bd9",
    "brown": "#8a6d3b",
    "alert": "#c0392b",
    "good": "#00704f",
}
NIGHT = {
    "page": "#12161b",
    "card": "#1b2128",
    "ink": "#e8ecf0",
    "muted": "#9fabb8",
    "line": "#343d47",
    "blue": "#5ab0ec",
    "orange": "#f2b134",
    "green": "#3fd0a0",
    "pink": "#e79ac9",
    "sky": "#9bd7ff",
    "brown": "#cfb27c",
    "alert": "#ff8a75",
    "good": "#57d9ac",
}
_BY_BACKEND = {
    "runpod": "blue",
    "aws_gpu": "orange",
    "openai": "green",
    "gcp_gpu": "pink",
    "local": "sky",
}
_FULL, _SECOND, _OTHER = (1, 0), (6, 3), (4, 1)
_DASHES = {"runpod": _FULL, "aws_gpu": (2, 2), "openai": (8, 3, 2, 3), "gcp_gpu": (1, 4)}


def variable(name: str) -> str:
    """A colour that the page resolves."""
    return f"var(--{name})"


def of_backend(name: str) -> str:
    """Always the same colour for the same backend."""
    return variable(_BY_BACKEND.get(name, "brown"))


def dash_of(backend: str, earlier: int) -> list[int]:
    """The same in each picture; earlier: how many of the backend's skus came before."""
    return list(_SECOND if earlier else _DASHES.get(backend, _OTHER))


def by_day(spec: dict[str, Any]) -> dict[str, Any]:
    """The same chart with the colours themselves, for whoever knows no variables."""
    text = json.dumps(spec)
    for name, colour in DAY.items():
        text = text.replace(variable(name), colour)
    resolved: dict[str, Any] = json.loads(text)
    return resolved


def style() -> str:
    """The variables, for a style sheet: of the day, of the night, and of paper."""
    return (
        f":root{{color-scheme:light dark;{_declared(DAY)}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{_declared(NIGHT)}}}}}"
    )


def _declared(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())
