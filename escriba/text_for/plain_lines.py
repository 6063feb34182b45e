"""Text in a terminal, in a log, and in the head of a mail."""

from .visible import visible, visible_lines

_LONGEST_SUBJECT = 250


def terminal(text: str) -> str:
    """Return text of several lines that no terminal obeys."""
    return visible_lines(text)


def terminal_line(text: str) -> str:
    """Return text in one line that no terminal obeys, such as a name or a cell."""
    return visible(text)


def log_line(text: object) -> str:
    """Return text, or an error's text, that stays one line of a log."""
    return visible(str(text))


def mail_subject(text: str) -> str:
    """Return text for a header of a mail: one line, of at most 250 characters."""
    line = visible(text)
    return line if len(line) <= _LONGEST_SUBJECT else f"{line[: _LONGEST_SUBJECT - 1]}…"
