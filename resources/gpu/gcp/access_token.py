"""Access tokens for Google's APIs. google-auth blocks, so it works in a thread."""

import asyncio
from collections.abc import Callable
from typing import Any

from escriba.errors import BackendUnavailableError
from escriba.settings import Settings, SettingsError
from resources.google_credentials import VARIABLE, credentials_file, google_credentials
from resources.http.json_requests import TransientError


class AccessToken:
    """One token for all requests, renewed shortly before it expires, or when it was refused.

    It never appears in an error or a log. find: the credentials; may block.
    """

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find
        self._credentials: Any = None
        self._refused = ""
        self._lock = asyncio.Lock()

    async def value(self) -> str:
        """The current token.

        Raises:
            BackendUnavailableError: there are no credentials, or Google refuses them.
            TransientError: Google does not answer.
        """
        async with self._lock:
            if not self._is_usable():
                await asyncio.to_thread(self._renew)
            return str(self._credentials.token)

    def refuse(self, token: str) -> None:
        """The API refused it: the next request gets a new one, unless another already has."""
        self._refused = token

    def _is_usable(self) -> bool:
        found = self._credentials
        return found is not None and found.valid and found.token != self._refused

    def _renew(self) -> None:
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415  # 0.2 s
        from google.auth.transport.requests import Request  # noqa: PLC0415

        try:
            if self._credentials is None:
                self._credentials = self._find()
            self._credentials.refresh(Request())
        except SettingsError as error:
            fault, is_lasting = str(error), True
        except GoogleAuthError as error:  # its text may hold Google's whole answer
            fault, is_lasting = type(error).__name__, not error.retryable
        else:
            return
        if not is_lasting:
            raise TransientError(f"Google issues no token ({fault})")
        raise BackendUnavailableError(_advice(fault), lasting=True)


def _advice(fault: str) -> str:
    if VARIABLE in fault:
        return fault
    return (
        f"Google refuses to issue a token ({fault}). Check {VARIABLE}, and that the service "
        "account is enabled."
    )


def access_token(settings: Settings) -> AccessToken:
    """The token of the settings' credentials, found at the first request as for storage."""
    return AccessToken(lambda: google_credentials(credentials_file(settings), "GCP Batch"))
