"""Requests to Google's APIs for JSON, with a token that is renewed once if it is refused."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import httpx

from resources.http.hide_urls import hide_urls
from resources.http.json_requests import RefusedError, ask
from resources.storage.clock import utc_now

from .access_token import AccessToken

_UNAUTHORIZED = 401
_CONNECTIONS = 50
_TIMEOUT = httpx.Timeout(20, connect=10, write=20, pool=120)


class GoogleRequests:
    """One API at one address; connects at the first request."""

    def __init__(self, url: str, token: AccessToken, now: Callable[[], datetime] = utc_now) -> None:
        self._url, self._token, self._now = url.rstrip("/"), token, now
        self._open: httpx.AsyncClient | None = None

    async def ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send one request, and return the JSON object of the answer.

        Raises:
            TransientError: no usable answer, or not now.
            RefusedError: the request itself, or a new token, is refused.
            BackendUnavailableError: there is no token.
        """
        token = await self._token.value()
        try:
            return await self._ask(token, method, path, params, body)
        except RefusedError as refused:
            if refused.status != _UNAUTHORIZED:
                raise
        self._token.refuse(token)
        return await self._ask(await self._token.value(), method, path, params, body)

    async def close(self) -> None:
        """Close the connections."""
        opened, self._open = self._open, None
        if opened is not None:
            await opened.aclose()

    async def _ask(
        self,
        token: str,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        sent = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        return await ask(
            self._http(),
            method,
            path,
            now=self._now(),
            secret=token,
            body=sent,
            params=params,
            headers={"Authorization": f"Bearer {token}"},
        )

    def _http(self) -> httpx.AsyncClient:
        if self._open is None:
            hide_urls()
            limits = httpx.Limits(max_connections=_CONNECTIONS)
            self._open = httpx.AsyncClient(base_url=self._url, timeout=_TIMEOUT, limits=limits)
        return self._open
