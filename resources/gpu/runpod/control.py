"""Endpoints made, read and changed: RunPod's REST v2."""

import itertools
import json
from datetime import datetime
from typing import Any

import httpx

from resources.failures import BackendUnavailableError

from . import addresses
from .answers import RefusedError, TroubleError, ask
from .client import Time
from .pace import backoff_seconds

_TRIES = 3


class Control:
    """The account's endpoints. `secret`: the key, which no error shows."""

    def __init__(self, http: httpx.AsyncClient, secret: str, time_: Time) -> None:
        self._http, self._secret, self._time = http, secret, time_

    async def gpu_types(self) -> list[dict[str, Any]]:
        """The catalogue: `id` and `pool` of each GPU type.

        Raises:
            BackendUnavailableError: says what RunPod said.
        """
        return _objects(await self._tried("GET", addresses.GPU_TYPES), "gpus")

    async def endpoints(self) -> list[dict[str, Any]]:
        """All of the account.

        Raises:
            BackendUnavailableError: says what RunPod said.
        """
        return _objects(await self._tried("GET", addresses.ENDPOINTS), "endpoints")

    async def endpoint(self, id_: str) -> dict[str, Any] | None:
        """One of them, or None where there is none.

        Raises:
            BackendUnavailableError: says what RunPod said.
        """
        return await self._tried("GET", addresses.one_endpoint(id_), or_none=True)

    async def bill(self, id_: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """What an endpoint cost, a record for each day (UTC) with use; both moments at midnight.

        docs.runpod.io/api-reference-v2/billing/get-serverless-billing-history

        Raises:
            BackendUnavailableError: says what RunPod said.
        """
        asked = {
            "serverlessId": id_,
            "startTime": f"{since:%Y-%m-%dT%H:%M:%SZ}",
            "endTime": f"{until:%Y-%m-%dT%H:%M:%SZ}",
            "bucketSize": "day",
        }
        return _objects(await self._tried("GET", addresses.BILL, params=asked), "records")

    async def change(self, id_: str, body: dict[str, Any]) -> dict[str, Any]:
        """As it is afterwards; the same change twice is one.

        Raises:
            BackendUnavailableError: says what RunPod said.
        """
        return await self._tried("PATCH", addresses.one_endpoint(id_), body) or {}

    async def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """A new one. Tried once: an answer that was lost may have made it.

        Raises:
            BackendUnavailableError: says what RunPod said, and to look first.
        """
        try:
            return await self._ask("POST", addresses.ENDPOINTS, body)
        except TroubleError as trouble:
            what = f"RunPod did not say whether it made the endpoint ({trouble.what}): once more."
        except RefusedError as refused:
            what = _refusal(refused)
        # the name is looked for first each time, so that none is made twice
        raise BackendUnavailableError(what)

    async def _tried(  # a request, and how it may fail
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        params: dict[str, str] | None = None,
        or_none: bool = False,
    ) -> dict[str, Any] | None:
        """A few times; with `or_none`, None where there is no such thing."""
        for failures in itertools.count(1):
            try:
                return await self._ask(method, path, body, params)
            except TroubleError as trouble:
                what = f"RunPod's control plane does not answer ({trouble.what})."
                wait = min(trouble.retry_after_seconds or 0.0, 60.0)
                final = failures == _TRIES
            except RefusedError as refused:
                if refused.is_unknown and or_none:
                    return None
                what, wait, final = _refusal(refused), 0.0, True
            if final:
                break
            await self._time.sleep(wait + backoff_seconds(failures, self._time.jitter))
        raise BackendUnavailableError(what)

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        params: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        sent = None if body is None else json.dumps(body).encode()
        now, secret = self._time.now(), self._secret
        return await ask(self._http, method, path, now=now, secret=secret, body=sent, params=params)


def _refusal(refused: RefusedError) -> str:
    if refused.is_key:
        return (
            f"RunPod refuses the key (HTTP {refused.status}): set RUNPOD_API_KEY to a key that "
            "may read and write endpoints."
        )
    if refused.is_unknown:
        return f"RUNPOD_CONTROL_URL is not where RunPod's REST v2 is ({refused})."
    return f"RunPod refuses the settings ({refused})."


def _objects(told: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    found = (told or {}).get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
