"""How words become text: where spaces go, and where text must not be split.

A word that joins the previous one is written without a space: "levá" and "-lo", "3" and ",50".
In scripts with spaces both belong to one word and stay together: one speaker, one cue, one line.
Scripts without spaces join everything and may be split nearly anywhere, except before a closing
mark or after an opening one (JIS X 4051, "kinsoku"), inside a grapheme cluster (Unicode annex 29),
or inside a number.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar


class Written(Protocol):
    """Anything with a word's text and whether it joins the previous word."""

    @property
    def text(self) -> str:
        """Without surrounding spaces."""
        ...

    @property
    def joins(self) -> bool:
        """Whether no space separates it from the previous word."""
        ...


AnyWord = TypeVar("AnyWord", bound=Written)

# first and last code points of scripts that are written without spaces between words
_BLANKLESS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3000, 0x312F),  # marks of CJK, kana, bopomofo
    (0x31A0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xAA60, 0xAA7F),  # Myanmar
    (0xF900, 0xFAFF),
    (0xFF00, 0xFF9F),  # full-width marks, half-width katakana
    (0x20000, 0x3FFFF),
)
_NEVER_FIRST = frozenset(
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿー々ゝゞヽヾ〻〱"
    "ｧｨｩｪｫｬｭｮｯｰﾞﾟ゛゜〜～"
    "ะาำๅๆฯະາຳໆຯຽ"
    "!),.:;?]}%…‥’”»、。，．・：；？！％"
)
_NEVER_LAST = frozenset("เแโใไເແໂໃໄ([{‘“«$￥＄¥€£")
_JOINERS = frozenset("\u200d\u2060\ufeff\u1039\u17d2")


def is_blankless(sign: str) -> bool:
    """Whether a character belongs to a script that is written without spaces between words."""
    return any(first <= ord(sign) <= last for first, last in _BLANKLESS)


def may_part(before: str, after: str) -> bool:
    """Whether two adjacent texts without a space between them may be split.

    >>> may_part("levá", "-lo"), may_part("明日", "会う"), may_part("会う", "。")
    (False, True, False)
    """
    if not before or not after:
        return False
    last, first = before[-1], after[0]
    if not (is_blankless(last) or is_blankless(first)):
        return False
    if first in _NEVER_FIRST or last in _NEVER_LAST or last in _JOINERS:
        return False
    if last.isdecimal() and (first.isdecimal() or is_blankless(first)):
        return False  # a number and what it counts
    starts, ends = unicodedata.category(first), unicodedata.category(last)
    return starts not in {"Mn", "Mc", "Me", "Cf", "Pe", "Pf"} and ends not in {"Ps", "Pi"}


def text_of(words: Iterable[Written]) -> str:
    """The words as text, with a space before each word that does not join the previous one."""
    parts: list[str] = []
    for word in words:
        if parts and not word.joins:
            parts.append(" ")
        parts.append(word.text)
    return "".join(parts)


def units(words: Sequence[AnyWord]) -> list[Sequence[AnyWord]]:
    """The words, grouped into units that must not be split."""
    found: list[Sequence[AnyWord]] = []
    first = 0
    for at in range(1, len(words) + 1):
        if at == len(words) or may_begin(words[at - 1], words[at]):
            found.append(words[first:at])
            first = at
    return found


def may_begin(before: Written, word: Written) -> bool:
    """Whether a segment, a cue, a line or a speaker may begin with `word` after `before`."""
    return not word.joins or may_part(before.text, word.text)


def between(before: str, after: str, *, joins: bool) -> str:
    """The separator of two texts, such as segments: a space or nothing.

    `joins`: of the first word of `after`. A model writes no space at the start of a window, so it
    counts only where both sides are in scripts without spaces.
    """
    apart = not (joins and before and after and is_blankless(before[-1]) and is_blankless(after[0]))
    return " " if apart else ""
