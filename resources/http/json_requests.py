"""Requests for JSON, and their answers: data, a transient error, or a refusal.

No error here holds a URL, the key, or an error of httpx, which holds both.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from escriba.errors import EscribaError

_SHORT = 300
_ADDRESS = re.compile(r"\S*://\S*")
_SIGNED = re.compile(r"\S*(?:signature|credential|token|sig)=\S*", re.IGNORECASE)
_BEARER = re.compile(r"bearer\s+\S+", re.IGNORECASE)
_TOO_MANY = 429
_TOO_EARLY = {408, 425}


class TransientError(EscribaError):
    """No usable answer, or not now. what: the cause. retry_after_seconds: as was asked for."""

    def __init__(self, what: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(what)
        self.what, self.retry_after_seconds = what, retry_after_seconds


class RefusedError(EscribaError):
    """The provider refuses the request itself; a retry does not help."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}{': ' if text else ''}{text}")
        self.status, self.text = status, text

    @property
    def is_key(self) -> bool:
        """Whether the provider refuses the key."""
        return self.status in {401, 403}

    @property
    def is_unknown(self) -> bool:
        """Whether the object does not exist."""
        return self.status == 404  # noqa: PLR2004


async def ask(  # noqa: PLR0913  # a request's parts, as in httpx
    client: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    now: datetime,
    secret: str,
    body: bytes | None = None,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Send one request, and return the JSON object of the answer.

    headers: further ones. secret: never appears in an error.

    Raises:
        TransientError: no readable answer, rate limiting, or a server error.
        RefusedError: any other status.
    """
    kind = {"Content-Type": "application/json"} if body is not None else {}
    sent = {**kind, **(headers or {})}
    try:
        answer = await client.request(method, path, content=body, params=params, headers=sent)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        what = type(error).__name__
    else:
        return _read(answer, now, secret)
    raise TransientError(what)  # outside of `except`, which would keep httpx's error as context


def _read(answer: httpx.Response, now: datetime, secret: str) -> dict[str, Any]:
    status = answer.status_code
    if status == _TOO_MANY or status in _TOO_EARLY or status >= 500:  # noqa: PLR2004
        wait = retry_after_seconds(answer.headers.get("Retry-After", ""), now)
        raise TransientError(f"HTTP {status}", wait)
    body = _json(answer.content)
    if not answer.is_success:
        raise RefusedError(status, readable(_reason(body), secret))
    if body is None:
        raise TransientError(f"HTTP {status} without a JSON object")
    return body


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _reason(body: dict[str, Any] | None) -> str:
    """The reason of a refusal: `error`, or the fields of `application/problem+json`.

    `error` is a text, or an object with a `message`, as Google's.
    """
    body = body or {}
    if isinstance(body.get("error"), dict):
        body = body["error"]
    errors = body.get("errors")
    parts = [body.get(name) for name in ("error", "detail", "title", "message")]
    found = next((part for part in parts if isinstance(part, str) and part), "")
    more = "; ".join(map(str, errors[:3])) if isinstance(errors, list) else ""
    return f"{found} ({more})" if more else found


def retry_after_seconds(header: str, now: datetime) -> float | None:
    """The seconds of a Retry-After header, given as seconds or a date; None if not readable."""
    text = header.strip()
    if text.isdigit():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())


def readable(text: str, secret: str = "") -> str:
    """Foreign text as one short line, without URLs and without the key."""
    for pattern, word in ((_ADDRESS, "(an address)"), (_SIGNED, "(signed)"), (_BEARER, "(a key)")):
        text = pattern.sub(word, text)
    text = text.replace(secret, "(the key)") if secret else text
    line = " ".join(text.split())
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…"
