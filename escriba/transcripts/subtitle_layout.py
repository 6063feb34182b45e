"""Layout and reading speed of cues by script.

The numbers come from `escriba.transcripts.subtitle_rules`. A full-width character counts as two
columns.
"""

from dataclasses import dataclass
from typing import Final

from .subtitle_rules import FULL_WIDTH, SubtitleRules


@dataclass(frozen=True, slots=True)
class SubtitleLayout:
    """The rules for text in one script; `SubtitleRules` describes the times.

    line_columns: Maximum columns per line. columns_per_second: Reading speed. lines: Maximum number
    of lines per cue.
    """

    line_columns: int
    columns_per_second: int
    lines: int
    min_ms: int
    max_ms: int
    pause_ms: int
    delay_ms: int


DEFAULT_RULES: Final = SubtitleRules()


def layout_of(script: str, rules: SubtitleRules = DEFAULT_RULES) -> SubtitleLayout:
    """The layout of a script; `ByScript` has the names of scripts."""
    width = 2 if script in FULL_WIDTH else 1
    return SubtitleLayout(
        line_columns=width * getattr(rules.subtitle_chars_per_line, script),
        columns_per_second=width * getattr(rules.subtitle_chars_per_second, script),
        lines=rules.subtitle_lines,
        min_ms=rules.subtitle_min_ms,
        max_ms=rules.subtitle_max_ms,
        pause_ms=rules.subtitle_pause_ms,
        delay_ms=rules.subtitle_delay_ms,
    )


OTHERS: Final = layout_of("default")
JAPANESE: Final = layout_of("japanese")
CHINESE: Final = layout_of("chinese")
KOREAN: Final = layout_of("korean")
THAI: Final = layout_of("thai")

_SCRIPTS = {
    "thai": ((0x0E00, 0x0E7F),),
    "hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)),
    "kana": ((0x3041, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F)),
    "han": ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
}
_FIRST = "\u0e00"  # every letter below it belongs to a script with the default rules


def layout_for(
    text: str, language: str = "", rules: SubtitleRules = DEFAULT_RULES
) -> SubtitleLayout:
    """The layout for a text, by the script of most of its letters."""
    return layout_of(script_of(text, language), rules)


def script_of(text: str, language: str = "") -> str:
    """The script of most letters of a text; `ByScript` has the names of scripts.

    The language is that of the whole recording, in which people may quote other languages. It only
    decides between Japanese and Chinese for text in ideographs alone.
    """
    if max(text, default="") < _FIRST:
        return "default"
    letters = [sign for sign in text if sign.isalpha()]
    count = {name: sum(_is_in(sign, spans) for sign in letters) for name, spans in _SCRIPTS.items()}
    if 2 * sum(count.values()) < len(letters) or not letters:
        return "default"
    if count["thai"] > max(count["hangul"], count["kana"] + count["han"]):
        return "thai"
    if count["hangul"] > count["kana"] + count["han"]:
        return "korean"
    return "japanese" if count["kana"] or language == "ja" else "chinese"


def _is_in(sign: str, spans: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(sign) <= last for first, last in spans)
