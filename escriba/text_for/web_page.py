"""Text in HTML, between tags or in a quoted attribute."""

from html import escape

from .visible import visible_lines


def html(text: str) -> str:
    """Return the text as HTML that shows the same characters."""
    return escape(visible_lines(text))
