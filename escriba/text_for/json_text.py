"""JSON for a terminal or a log, with nothing in it that a reader does not see."""

import json

from .visible import HIDDEN_IN_LINES


def json_text(value: object, *, indent: int | None = None) -> str:
    r"""Return JSON in readable letters; invisible characters are escapes such as \u202e.

    A parser reads the same value. What JSON does not know, such as a date, becomes its text.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return HIDDEN_IN_LINES.sub(lambda found: json.dumps(found[0])[1:-1], text)
