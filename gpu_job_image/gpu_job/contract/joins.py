"""How words become text: where blanks stand, and what must never be parted.

A word that joins the one before it is written without a blank: "levá" and "-lo", "3" and ",50".
Where a script has blanks, such a rest is of the same word, and the two stay together: one speaker,
one cue, one line. Scripts without blanks join everything, and may be parted nearly anywhere;
not, however, before a closing mark or after an opening one (JIS X 4051, "kinsoku"), inside a
letter (Unicode annex 29), or inside a number.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar


class Written(Protocol):
    """Anything with a word's text, and whether it joins the one before."""

    @property
    def text(self) -> str:
        """Without blanks around it."""
        ...

    @property
    def joins(self) -> bool:
        """Whether it stands without a blank after the word before."""
        ...


AnyWord = TypeVar("AnyWord", bound=Written)

# first and last code point of scripts that are written without blanks between words
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
    """Whether a sign is of a script that is written without blanks between words."""
    return any(first <= ord(sign) <= last for first, last in _BLANKLESS)


def may_part(before: str, after: str) -> bool:
    """Whether two texts that stand without a blank between them may be put apart.

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
    """The words as text, with a blank before each that does not join the one before."""
    parts: list[str] = []
    for word in words:
        if parts and not word.joins:
            parts.append(" ")
        parts.append(word.text)
    return "".join(parts)


def units(words: Sequence[AnyWord]) -> list[Sequence[AnyWord]]:
    """The words, those together that must never be parted."""
    found: list[Sequence[AnyWord]] = []
    first = 0
    for at in range(1, len(words) + 1):
        if at == len(words) or may_begin(words[at - 1], words[at]):
            found.append(words[first:at])
            first = at
    return found


def may_begin(before: Written, word: Written) -> bool:
    """Whether a segment, a cue, a line or a speaker may begin with a word that follows another."""
    return not word.joins or may_part(before.text, word.text)


def between(before: str, after: str, *, joins: bool) -> str:
    """What stands between two texts, such as segments: a blank, or nothing.

    `joins`: of the first word after. A model writes no blank at the start of what it hears, so
    that counts only where both sides are of scripts without blanks.
    """
    apart = not (joins and before and after and is_blankless(before[-1]) and is_blankless(after[0]))
    return " " if apart else ""
