"""What no setting may hold, checked before anything else reads its value or shows it.

A line break in a value has made a header of two, a control character has hung a terminal, and
bytes that are no UTF-8 have ended the process inside of a library. None of it is ever meant.
"""

import re
import unicodedata
from typing import Final

from escriba.secret_looks import secret_look

_BREAKS: Final = {"Cc", "Zl", "Zp"}  # control characters, and the separators of lines, paragraphs
_LINES: Final = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")


def on_one_line(text: str) -> str:
    """The text with a space for each line break or tab."""
    return _LINES.sub(" ", text)


def check_plain(value: str, *, secret: bool) -> None:
    """Refuse a value with characters that no setting has; the message never shows it.

    secret: of a setting that holds one; its value may look like a secret. Line breaks and blanks
    around a secret come with copying, and are left to its type.

    Raises:
        ValueError: says what is wrong with it, and what to do.
    """
    look = "" if secret else secret_look(value)
    if look:
        raise ValueError(
            f"its value looks like {look}, and this setting is not kept secret: remove it, set the "
            "secret in its own setting (.env.example lists them), and replace it if it was shown"
        )
    again = "copy the whole key again" if secret else "write it on one line, in visible characters"
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"its value is not UTF-8 text: {again}")
    inner = value.strip() if secret else value
    if any(unicodedata.category(character) in _BREAKS for character in inner):
        raise ValueError(f"its value has a line break or another control character: {again}")
