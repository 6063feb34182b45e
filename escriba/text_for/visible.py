"""Shows characters that are invisible, or that act on a terminal or on the order of text.

Names, tags and errors of providers come from strangers. A right-to-left override makes
`gpj.exe` read as `exe.jpg`, and an escape sequence rewrites a terminal. Such a character is
shown as its number, `‹U+202E›`, a line break as `⏎` and a tab as `⇥`.
"""

import re

# Unicode's controls, formats, separators of lines and surrogates, and what is drawn as nothing
# although it counts as a letter, a mark or a symbol. U+FE00 to U+FE0F stay: they choose between
# drawings of the sign before them, as in ❤️.
_HIDDEN = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff"
    r"\U00013430-\U00013438\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_HIDDEN_IN_A_LINE = re.compile(f"\r\n|[{_HIDDEN}]")
HIDDEN_IN_LINES = re.compile(f"(?!\n)[{_HIDDEN}]")
_SIGNS = {"\n": "⏎", "\r\n": "⏎", "\t": "⇥"}
# in speech, joiners and marks of direction belong to the spelling of Persian, Hindi or Arabic
_ACTS = re.compile(r"(?!\n)[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """Return the text in one line; line breaks and tabs are shown too."""
    return _HIDDEN_IN_A_LINE.sub(_shown, text)


def visible_lines(text: str) -> str:
    """Return the text; its line breaks remain."""
    return HIDDEN_IN_LINES.sub(_shown, text)


def harmless_speech(text: str) -> str:
    """Return transcribed text: only what acts on a terminal, or reorders a line, is shown."""
    return _ACTS.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    return _SIGNS.get(found[0]) or f"‹U+{ord(found[0]):04X}›"
