"""Where words probably end in Japanese, and in other scripts without blanks.

No dictionary: a Japanese phrase mostly begins with a kanji or katakana and ends in hiragana, with
a particle last. What is not Japanese gets no better answer than "probably inside a word".
"""

_PARTICLES = ("から", "まで", "より", "ので", "けど", "のに", *"はがをにでともへやねよ")


def inside_word(before: str, after: str) -> bool:
    """Whether a break between two texts that stand without a blank probably parts a word.

    >>> inside_word("明日", "会う"), inside_word("駅で", "友達"), inside_word("カ", "メラ")
    (True, False, True)
    """
    last, first = _script(before[-1]), _script(after[0])
    if last == first == "hiragana":
        return not before.endswith(_PARTICLES)
    return first in {last, "hiragana"}


def _script(sign: str) -> str:
    code = ord(sign)
    if 0x3041 <= code <= 0x309F:  # noqa: PLR2004  # the block in Unicode
        return "hiragana"
    if 0x30A0 <= code <= 0x30FF or code == 0xFF70:  # noqa: PLR2004
        return "katakana"
    return "mark" if not sign.isalnum() else "letter" if sign.isascii() else "other"
