"""The secrets of this process, and texts without them.

`load_settings` makes them known. Errors, logs, events and metadata then show `***`, in whatever
form another library wrote them: quoted for a URL, in Base64 (as in a header), or escaped for JSON.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from html import escape
from typing import Final
from urllib.parse import quote, quote_plus, unquote, urlsplit

from .secret_looks import MASK, without_lookalikes

_SHORTEST: Final = 8  # a shorter one is part of ordinary words
_NO_SECRETS: Final = {"password", "postgres"}  # of a database on this machine
_WHOLE_WORD: Final = 16  # up to this length, only where it is not part of a longer word
_known: set[str] = set()
_pattern: re.Pattern[str] | None = None


def remember_secrets(values: Iterable[str]) -> None:
    """Make values known as secrets until this process ends; short ones are ignored."""
    global _pattern  # noqa: PLW0603  # of the process, like its environment
    new = {part for value in values for part in _parts(value)} - _known - _NO_SECRETS
    if new:
        _known.update(new)
        forms = {form for one in _known for form in _forms(one)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        _pattern = re.compile("|".join(map(_bounded, longest_first)))


def masked(text: str) -> str:
    """The text with `***` in place of known secrets and of what looks like one."""
    if _pattern is not None:
        text = _pattern.sub(MASK, text)
    return without_lookalikes(text)


def has_known_secret(text: str) -> bool:
    """Whether the text contains a secret of this process."""
    return _pattern is not None and _pattern.search(text) is not None


def mask_error(error: BaseException) -> BaseException:
    """The error, its causes included, without secrets in its texts; changed in place.

    Where an error makes its text of something else, as pydantic's does, another one replaces it.
    """
    return _without(error, set())


def _without(error: BaseException, seen: set[int]) -> BaseException:
    if id(error) in seen:
        return error
    seen.add(id(error))
    if error.__cause__ is not None:
        error.__cause__ = _without(error.__cause__, seen)
    if error.__context__ is not None:
        error.__context__ = _without(error.__context__, seen)
    _mask_texts(error)
    text = str(error)
    if masked(text) == text:
        return error
    return RuntimeError(f"{type(error).__name__}: {masked(text)}")


def _mask_texts(error: BaseException) -> None:
    error.args = tuple(masked(one) if isinstance(one, str) else one for one in error.args)
    names = [*vars(error), *("strerror", "filename", "filename2")]
    for name in names:
        value = getattr(error, name, None)
        if isinstance(value, str) and value != masked(value):
            with suppress(AttributeError):  # of a class that freezes them
                setattr(error, name, masked(value))


def _parts(value: str) -> Iterator[str]:
    """The value, and the password in it if it is a URL."""
    value = value.strip()
    if len(value) >= _SHORTEST:
        yield value
    if "://" in value:
        try:
            password = unquote(urlsplit(value).password or "")
        except ValueError:
            return
        if len(password) >= _SHORTEST:
            yield password


def _forms(value: str) -> set[str]:
    """The value as it is, and as other programs write it."""
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    forms = {value, quote(value, safe=""), quote(value), quote_plus(value), repr(value)[1:-1]}
    return {form for form in forms | escaped | {escape(value)} | _base64(value) if form}


def _base64(value: str) -> set[str]:
    """In Base64, at each of the three places where it may begin in a longer text."""
    body = value.encode(errors="surrogatepass")
    found = set()
    for before in range(3):
        text = b64encode(b"\0" * before + body).decode()
        first = (0, 2, 3)[before]  # characters that depend on what stands before it
        last = (0, 3, 2)[(before + len(body)) % 3]  # and after it
        whole = text[first : len(text) - last]
        if len(whole) >= _SHORTEST:
            found |= {whole, whole.replace("+", "-").replace("/", "_")}
    return found


def _bounded(form: str) -> str:
    text = re.escape(form)
    return text if len(form) > _WHOLE_WORD else rf"(?<![A-Za-z0-9]){text}(?![A-Za-z0-9])"
