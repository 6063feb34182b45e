"""Passwords and the signed cookie that a browser gets for one."""

import hashlib
import hmac
import os
import time
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from secrets import token_bytes

COOKIE = "escriba_login"
LIFE_SECONDS = 12 * 3_600


class Logins:
    """Checks passwords and cookies. Another password, or another key, ends all logins."""

    def __init__(self, password: str, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._password, self._clock = _digest(password), clock
        self._key = hmac.digest(key, password.encode(), "sha256")

    def is_password(self, text: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(_digest(text), self._password)

    def cookie(self) -> str:
        """Return a new cookie's value: when it expires, signed."""
        expires = str(int(self._clock()) + LIFE_SECONDS)
        return f"{expires}.{self._signature(expires)}"

    def is_cookie(self, value: str) -> bool:
        """Return whether this is a cookie of ours that has not expired."""
        expires, _, signature = value.partition(".")
        signed = hmac.compare_digest(signature.encode(), self._signature(expires).encode())
        return signed and int(expires) > self._clock()

    def _signature(self, expires: str) -> str:
        return hmac.new(self._key, expires.encode(errors="replace"), "sha256").hexdigest()


def basic_password(authorization: str) -> str | None:
    """Return the password of an Authorization header, `Basic user:password`, for programs."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(value, validate=True).decode().partition(":")[2]
    except ValueError:
        return None


def login_key(path: Path) -> bytes:
    """Return the key that signs cookies, created on first use and readable by its owner only.

    Raises:
        OSError: it cannot be created or read.
    """
    draft = path.with_suffix(f".{os.getpid()}")
    if not path.exists():  # the pages start at the same time: the first one wins
        try:
            with os.fdopen(
                os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
            ) as new:
                new.write(token_bytes(32))
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
    return path.read_bytes()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()
