"""What the answers of an API that are no transcripts mean, classified once."""

import email.utils
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["again", "too_long", "refused"]

_TOO_LARGE = 413
_TOO_LONG_SIGNS = ("too long", "too large", "longer than", "duration", "maximum", "exceed", "size")
_AGAIN = {408, 409, 425, 429}
_UNCLEAR = {502, 504}  # a proxy lost the answer of a server that may have done the work
_NO_MONEY = ("insufficient_quota", "billing", "credit")
_SHOWN_SIGNS = 200


@dataclass(frozen=True, slots=True)
class Failure:
    """kind: send it again, cut it smaller, or give up. why: for people; it holds no secret.

    wait_seconds: what the API asks for; None: it does not say. may_be_billed: the work may have
    been done, only the answer is missing. is_account: no job can run until the key or the credit is
    put right.
    """

    kind: Kind
    why: str
    wait_seconds: float | None = None
    may_be_billed: bool = False
    is_account: bool = False


def failure_of(status: int, body: bytes, retry_after: str, key: str) -> Failure:
    """The meaning of a status that is no success."""
    said = _said(body, key)
    why = f"the API answered {status}{f': {said}' if said else ''}"
    lowered = said.lower()
    if status in {401, 403}:
        return Failure("refused", f"{why}. Check OPENAI_API_KEY", is_account=True)
    if status == _TOO_LARGE or (
        status in {400, 422} and any(sign in lowered for sign in _TOO_LONG_SIGNS)
    ):
        return Failure("too_long", why)
    if status == 429 and any(sign in lowered for sign in _NO_MONEY):  # noqa: PLR2004  # HTTP's own
        return Failure(
            "refused", f"{why}. Add credit to the account of OPENAI_API_KEY", is_account=True
        )
    if status in _AGAIN or status >= 500:  # noqa: PLR2004
        return Failure("again", why, _seconds(retry_after), may_be_billed=status in _UNCLEAR)
    return Failure("refused", f"{why}. Check OPENAI_BASE_URL and OPENAI_MODEL")


def _said(body: bytes, key: str) -> str:
    """The API's own sentence, shortened, without the key, which some APIs repeat."""
    try:
        found = json.loads(body)
        error = found.get("error", found) if isinstance(found, dict) else found
        text = error if isinstance(error, str) else error.get("message") or error.get("detail")
        code = "" if isinstance(error, str) else error.get("code") or error.get("type") or ""
        said = " ".join(filter(None, [str(text or ""), f"({code})" if code else ""]))
    except (ValueError, AttributeError):
        return ""
    said = " ".join(said.split())[:_SHOWN_SIGNS]
    return "" if "://" in said or (key and (key in said or key[-4:] in said)) else said


def _seconds(retry_after: str) -> float | None:
    """Retry-After: seconds, or a date of HTTP."""
    if not retry_after:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        at = email.utils.parsedate_to_datetime(retry_after)
        return max(0.0, (at - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
