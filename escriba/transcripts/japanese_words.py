"""Guesses where words end in Japanese and in other scripts without blanks.

There is no dictionary: a Japanese phrase mostly starts with a kanji or katakana and ends in
hiragana, with a particle last. For other scripts the answer is always "probably inside a word".
"""

_PARTICLES = ("から", "まで", "より", "ので", "けど", "のに", *"はがをにでともへやねよ")


def inside_word(before: str, after: str) -> bool:
    """Whether a break between two adjacent texts without a blank probably splits a word.

    >>> inside_word("明日", "会う"), inside_word("駅で", "友達"), inside_word("カ", "メラ")
    (True, False, True)
    """
    last, first = _script(before[-1]), _script(after[0])
    if last == first == "hiragana":
        return not before.endswith(_PARTICLES)
    return first in {last, "hiragana"}


def _script(sign: str) -> str:
    code = ord(sign)
    if 0x3041 <= code <= 0x309F:  # noqa: PLR2004  # the Unicode block
        return "hiragana"
    if 0x30A0 <= code <= 0x30FF or code == 0xFF70:  # noqa: PLR2004
        return "katakana"
    return "mark" if not sign.isalnum() else "letter" if sign.isascii() else "other"
