"""The width of text on a screen, in columns."""

import unicodedata
from itertools import pairwise

_FIRST_ACCENT = "\u0300"  # every character below it fills one column
_JOINER = "\u200d"
_DRAWN_AS_EMOJI = "\ufe0f"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_UNSEEN = ("Cc", "Cs")  # control characters and lone surrogates, which no file may contain


def tidy_words(text: str) -> list[str]:
    """The visible words of a text, without blanks and control characters."""
    if text.isascii() and text.isprintable():
        return text.split()
    seen = "".join(
        sign for sign in text if sign.isspace() or unicodedata.category(sign) not in _UNSEEN
    )
    return [word for word in seen.split() if columns(word)]


def columns(text: str) -> int:
    """The columns of a text: one per letter with its accents, two per ideograph or emoji.

    East Asian width (Unicode annex 11). Style guides allow half as many ideographs as letters.
    """
    if max(text, default="") < _FIRST_ACCENT:
        return len(text)
    return sum(_cluster_columns(cluster) for cluster in clusters(text))


def clusters(text: str) -> list[str]:
    """User-perceived characters: a letter with accents, a flag, an emoji sequence.

    Approximates Unicode annex 29, without its rules for Hangul and Indic conjuncts.
    """
    if not text:
        return []
    found = [text[0]]
    flag_letters = int(ord(text[0]) in _FLAG_LETTERS)
    for previous, sign in pairwise(text):
        flag_letters = flag_letters + 1 if ord(sign) in _FLAG_LETTERS else 0
        if _continues(previous, sign) or (flag_letters and flag_letters % 2 == 0):
            found[-1] += sign
        else:
            found.append(sign)
    return found


def _continues(previous: str, sign: str) -> bool:
    return (
        previous == _JOINER
        or ord(sign) in _SKIN_TONES
        or unicodedata.category(sign) in ("Mn", "Me", "Mc", "Cf")
    )


def _cluster_columns(cluster: str) -> int:
    if all(unicodedata.category(sign) == "Cf" for sign in cluster):
        return 0
    if cluster[-1] == _DRAWN_AS_EMOJI or ord(cluster[0]) in _FLAG_LETTERS:
        return 2
    return 2 if unicodedata.east_asian_width(cluster[0]) in ("W", "F") else 1
