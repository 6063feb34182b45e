"""What RunPod answers, told apart: news, trouble that passes, and a refusal.

No error here holds an address, a key, or an error of httpx, which would hold both.
"""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, get_args

import httpx

from gpu_job.contract import ErrorCode

_SHORT = 300
_ADDRESS = re.compile(r"\S*://\S*")
_SIGNED = re.compile(r"\S*(?:signature|credential|token|sig)=\S*", re.IGNORECASE)
_BEARER = re.compile(r"bearer\s+\S+", re.IGNORECASE)
_TOO_MANY = 429
_TOO_EARLY = {408, 425}


class TroubleError(Exception):
    """Nobody knows, or not now: what it looked like, and how long to wait where that was said."""

    def __init__(self, what: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(what)
        self.what, self.retry_after_seconds = what, retry_after_seconds


class RefusedError(Exception):
    """The request itself is not accepted; asking again does not help."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}{': ' if text else ''}{text}")
        self.status, self.text = status, text

    @property
    def is_key(self) -> bool:
        """Whether it is the key that is not accepted."""
        return self.status in {401, 403}

    @property
    def is_unknown(self) -> bool:
        """Whether there is no such thing."""
        return self.status == 404  # noqa: PLR2004


async def ask(  # noqa: PLR0913  # as httpx has them
    client: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    now: datetime,
    secret: str,
    body: bytes | None = None,
    params: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The JSON object that is answered.

    Raises:
        TroubleError: no answer, or none that can be read; busy; a fault of theirs.
        RefusedError: any other status.
    """
    headers = {"Content-Type": "application/json"} if body is not None else {}
    try:
        answer = await client.request(method, path, content=body, params=params, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        trouble = type(error).__name__
    else:
        return _read(answer, now, secret)
    raise TroubleError(trouble)  # outside: an error in a `with` or `except` keeps its context


def _read(answer: httpx.Response, now: datetime, secret: str) -> dict[str, Any]:
    status = answer.status_code
    if status == _TOO_MANY or status in _TOO_EARLY or status >= 500:  # noqa: PLR2004
        wait = retry_after_seconds(answer.headers.get("Retry-After", ""), now)
        raise TroubleError(f"HTTP {status}", wait)
    told = _json(answer.content)
    if not answer.is_success:
        raise RefusedError(status, readable(_reason(told), secret))
    if told is None:
        raise TroubleError(f"HTTP {status} without a JSON object")
    return told


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _reason(told: dict[str, Any] | None) -> str:
    """Of a refusal: `error`, or what `application/problem+json` says."""
    told = told or {}
    errors = told.get("errors")
    parts = [told.get("error"), told.get("detail"), told.get("title"), told.get("message")]
    found = next((part for part in parts if isinstance(part, str) and part), "")
    more = "; ".join(map(str, errors[:3])) if isinstance(errors, list) else ""
    return f"{found} ({more})" if more else found


def retry_after_seconds(header: str, now: datetime) -> float | None:
    """Of a Retry-After, as seconds or as a date; None where there is none that can be read."""
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
    """One short line of somebody else's text, without addresses and without the key."""
    for pattern, word in ((_ADDRESS, "(an address)"), (_SIGNED, "(signed)"), (_BEARER, "(a key)")):
        text = pattern.sub(word, text)
    text = text.replace(secret, "(the key)") if secret else text
    line = " ".join(text.split())
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…"


def error_of(told: Any, secret: str) -> str:  # noqa: ANN401  # whatever a worker or RunPod said
    """Of a job that failed: what our worker says as JSON, what RunPod says, or plain text."""
    told = _error_object(told) or told
    if isinstance(told, dict):
        kind = told.get("code") or told.get("error_type") or ""
        message = told.get("message") or told.get("error_message") or ""
        told = f"{kind}: {message}" if kind and message else kind or message
    return readable(str(told or ""), secret)


def code_of(told: Any) -> str:  # noqa: ANN401  # whatever a worker or RunPod said
    """Our worker's own word for its failure; empty where RunPod or somebody else speaks."""
    code = (_error_object(told) or {}).get("code")
    return code if code in get_args(ErrorCode) else ""


def _error_object(told: Any) -> dict[str, Any] | None:  # noqa: ANN401  # the same
    told = _json(told.encode()) if isinstance(told, str) else told
    return told if isinstance(told, dict) else None
