"""The languages that Whisper knows, and suggestions for mistyped codes."""

from collections.abc import Iterable
from difflib import get_close_matches

# openai/whisper, whisper/tokenizer.py, LANGUAGES
LANGUAGE_CODES = tuple(
    """
    af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha
    haw he hi hr ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr
    ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg
    th tk tl tr tt uk ur uz vi yi yo zh yue
    """.split()  # noqa: SIM905  # a hundred quoted lines say no more
)


def check_language(code: str) -> str:
    """The code itself if Whisper knows it or it is 'auto'; else a ValueError with similar codes."""
    if code == "auto" or code in LANGUAGE_CODES:
        return code
    plain = code.strip().lower()
    without_region = plain.replace("_", "-").partition("-")[0]
    exact = [without_region] if without_region in {"auto", *LANGUAGE_CODES} else []
    close = exact or get_close_matches(plain, LANGUAGE_CODES, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else "."
    raise ValueError(
        f"{code!r} is not a language code of Whisper: use 'auto' or a code such as 'pt' or "
        f"'en'{hint}"
    )


def check_candidates(codes: Iterable[str]) -> tuple[str, ...]:
    """Codes that detection may choose, without duplicates; ValueError as in `check_language`."""
    found = tuple(dict.fromkeys(codes))
    if "auto" in found:
        raise ValueError(
            "'auto' is not a language code: list codes such as pt and en, or none for all"
        )
    for code in found:
        check_language(code)
    return found
