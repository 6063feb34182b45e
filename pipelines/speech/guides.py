"""How long a line may be, and how fast a cue may be read, by what it is written in.

From Netflix's Timed Text Style Guides for adults. They count full-width characters in Japanese
(13 a line, 4 a second), Chinese (16 and 9) and Korean (16 and 12), of which each fills two of
our columns, and a half-width character counts half; Thai has 35 a line, all others 42.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Guide:
    """Columns of a line, and columns a second."""

    line_columns: int
    columns_per_second: int


OTHERS: Final = Guide(42, 17)  # Brazilian Portuguese, among others; English allows 20
JAPANESE: Final = Guide(26, 8)
CHINESE: Final = Guide(32, 18)
KOREAN: Final = Guide(32, 24)
THAI: Final = Guide(35, 17)

_SCRIPTS = {
    "thai": ((0x0E00, 0x0E7F),),
    "hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)),
    "kana": ((0x3041, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F)),
    "han": ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
}
_FIRST = "\u0e00"  # below it every letter is of a script that the guides treat alike


def guide_for(text: str, language: str = "") -> Guide:
    """The guide for a text, by the script of most of its letters.

    A language is detected for a whole recording, and people quote others. It decides between
    Japanese and Chinese where there are ideographs alone.
    """
    if max(text, default="") < _FIRST:
        return OTHERS
    letters = [sign for sign in text if sign.isalpha()]
    count = {name: sum(_is_in(sign, spans) for sign in letters) for name, spans in _SCRIPTS.items()}
    if 2 * sum(count.values()) < len(letters) or not letters:
        return OTHERS
    if count["thai"] > max(count["hangul"], count["kana"] + count["han"]):
        return THAI
    if count["hangul"] > count["kana"] + count["han"]:
        return KOREAN
    return JAPANESE if count["kana"] or language == "ja" else CHINESE


def _is_in(sign: str, spans: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(sign) <= last for first, last in spans)
