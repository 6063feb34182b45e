"""Colors of the page and its charts for light and dark mode, after Okabe and Ito's palette.

Charts name them as CSS variables, so that one chart serves both modes; a PNG uses light mode.
"""

import json
from typing import Any

from escriba.backend_names import AWS_GPU, GCP_GPU, LOCAL, OPENAI, RUNPOD

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
    RUNPOD: "blue",
    AWS_GPU: "orange",
    OPENAI: "green",
    GCP_GPU: "pink",
    LOCAL: "sky",
}
_FULL, _SECOND, _OTHER = (1, 0), (6, 3), (4, 1)
_DASHES = {RUNPOD: _FULL, AWS_GPU: (2, 2), OPENAI: (8, 3, 2, 3), GCP_GPU: (1, 4)}


def variable(name: str) -> str:
    """The CSS variable of a color."""
    return f"var(--{name})"


def of_backend(name: str) -> str:
    """The color of a backend, the same in all charts."""
    return variable(_BY_BACKEND.get(name, "brown"))


def dash_of(backend: str, earlier: int) -> list[int]:
    """The dash pattern of a backend. earlier: how many of its skus came before."""
    return list(_SECOND if earlier else _DASHES.get(backend, _OTHER))


def by_day(spec: dict[str, Any]) -> dict[str, Any]:
    """The chart with literal light-mode colors, for renderers without CSS variables."""
    text = json.dumps(spec)
    for name, colour in DAY.items():
        text = text.replace(variable(name), colour)
    resolved: dict[str, Any] = json.loads(text)
    return resolved


def style() -> str:
    """The CSS that declares the variables for light mode, dark mode and print."""
    return (
        f":root{{color-scheme:light dark;{_declared(DAY)}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{_declared(NIGHT)}}}}}"
    )


def _declared(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())
