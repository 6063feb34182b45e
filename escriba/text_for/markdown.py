"""Text in Markdown, as Dagster's pages and GitHub render it."""

import re

from .visible import visible

_ENTITIES = {"<": "&lt;", ">": "&gt;", "`": "&#96;", "|": "&#124;"}
_ENTITY_START = re.compile(r"&(?=#?\w+;)")  # elsewhere it stays readable: Q&A
# an underscore between letters starts nothing, and stays readable in the file itself
_INLINE = re.compile(r"[\\*\[\]~$^{}]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BLOCK_START = re.compile(r"^( *)([#+=\-]|\d+(?=[.)]))")  # heading, list, rule
_MARKED_START = re.compile(r"^( *\d+)([.)])")
# GitHub's Markdown finds addresses even in escaped text, so a code span separates their parts
_LINK_PARTS = re.compile(r"://|(?<=www)\.|@|(?<=mailto):|(?<=xmpp):", re.IGNORECASE)


def markdown(text: str) -> str:
    """Return the text in one line that renders as itself: no markup, no HTML, no link."""
    line = _ENTITY_START.sub("&amp;", visible(text).strip())
    line = "".join(_ENTITIES.get(sign, sign) for sign in line)
    line = _INLINE.sub(lambda found: f"\\{found[0]}", line)
    line = _MARKED_START.sub(r"\1\\\2", line)
    line = _BLOCK_START.sub(lambda m: m[0] if m[2].isdigit() else f"{m[1]}\\{m[2]}", line)
    return _LINK_PARTS.sub(lambda found: f"`{found[0]}`", line)


def markdown_row(*cells: str) -> str:
    """Return a row of a table; the cells are plain text."""
    return f"| {' | '.join(map(markdown, cells))} |"
