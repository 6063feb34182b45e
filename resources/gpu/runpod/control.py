"""Creating, reading and changing endpoints through RunPod's REST v2."""

import itertools
import json
from datetime import datetime
from typing import Any

import httpx

from escriba.errors import BackendUnavailableError
from resources.http.json_requests import RefusedError, TransientError, ask
from resources.http.rate_limiter import backoff_seconds

from . import urls
from .client import Time

_TRIES = 3


class Control:
    """The account's endpoints. secret: the key, never in errors."""

    def __init__(self, http: httpx.AsyncClient, secret: str, time_: Time) -> None:
        self._http, self._secret, self._time = http, secret, time_

    async def gpu_types(self) -> list[dict[str, Any]]:
        """The catalog: `id`, `pool`, price and stock of each GPU type.

        docs.runpod.io/api-reference-v2/catalog/list-gpu-types

        Raises:
            BackendUnavailableError: with RunPod's error.
        """
        query = {"include": "AVAILABILITY", "product": "SERVERLESS"}
        return _objects(await self._tried("GET", urls.GPU_TYPES, params=query), "gpus")

    async def endpoints(self) -> list[dict[str, Any]]:
        """All endpoints of the account.

        Raises:
            BackendUnavailableError: with RunPod's error.
        """
        return _objects(await self._tried("GET", urls.ENDPOINTS), "endpoints")

    async def endpoint(self, id_: str) -> dict[str, Any] | None:
        """One endpoint, or None.

        Raises:
            BackendUnavailableError: with RunPod's error.
        """
        return await self._tried("GET", urls.one_endpoint(id_), or_none=True)

    async def bill(self, id_: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """The cost of an endpoint, one record per day (UTC) of use; both times are midnight.

        docs.runpod.io/api-reference-v2/billing/get-serverless-billing-history

        Raises:
            BackendUnavailableError: with RunPod's error.
        """
        query = {
            "serverlessId": id_,
            "startTime": f"{since:%Y-%m-%dT%H:%M:%SZ}",
            "endTime": f"{until:%Y-%m-%dT%H:%M:%SZ}",
            "bucketSize": "day",
        }
        return _objects(await self._tried("GET", urls.BILL, params=query), "records")

    async def change(self, id_: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change an endpoint, and return its new state; idempotent.

        Raises:
            BackendUnavailableError: with RunPod's error.
        """
        return await self._tried("PATCH", urls.one_endpoint(id_), body) or {}

    async def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """Create an endpoint. Tried once: a lost answer may have created it.

        Raises:
            BackendUnavailableError: with RunPod's error, and what to do.
        """
        try:
            return await self._ask("POST", urls.ENDPOINTS, body)
        except TransientError as error:
            what = f"It is unknown whether RunPod created the endpoint ({error.what}). Run again."
        except RefusedError as refused:
            what = _refusal(refused)
        # the next call looks for the name first, so that no endpoint is created twice
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
        """Up to three requests. or_none: None instead of an error if there is no such object."""
        for failures in itertools.count(1):
            try:
                return await self._ask(method, path, body, params)
            except TransientError as error:
                what = f"RunPod's control plane does not answer ({error.what}). Try again later."
                wait = min(error.retry_after_seconds or 0.0, 60.0)
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
            f"RunPod refuses the key (HTTP {refused.status}). Set RUNPOD_API_KEY to a key that "
            "may read and write endpoints."
        )
    if refused.is_unknown:
        return f"RUNPOD_CONTROL_URL is not the URL of RunPod's REST v2 ({refused}). Correct it."
    return f"RunPod refuses the settings ({refused})."


def _objects(answer: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    found = (answer or {}).get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
