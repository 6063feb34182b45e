"""The calls to one endpoint: submit, status, cancel and health."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from gpu_job.contract import JobRequest
from resources.failures import BackendUnavailableError, RecordingError
from resources.http_log import hide_addresses
from resources.storage.clock import utc_now

from . import addresses
from .answers import RefusedError, TroubleError, ask
from .pace import Clock, Jitter, Pace, Sleep, backoff_seconds

# half of what RunPod allows in 10 s, since other runs and people ask too; of status a tenth less
# still, so that what is late on its way does not add up to more
RUNS, RUNS_AT_ONCE = 500, 100
STATUSES, STATUSES_AT_ONCE = 900, 200
CANCELS, CANCELS_AT_ONCE = 50, 10
TRIES = 4
WITHIN_SECONDS = 45.0  # an attempt that is not submitted within 60 s may be buried by others
PAYLOAD_BYTES = 10_000_000
LEAST_RUN_MS, LEAST_TTL_MS = 5_000, 10_000
_TIMEOUT = httpx.Timeout(20, connect=10, write=40, pool=120)


@dataclass(frozen=True, slots=True)
class Time:
    """Where time and chance come from."""

    clock: Clock = time.monotonic
    sleep: Sleep = asyncio.sleep
    jitter: Jitter = random.random
    now: Callable[[], datetime] = utc_now


def open_http(url: str, key: str) -> httpx.AsyncClient:
    """Pooled, HTTP/1.1; its addresses are in no log."""
    hide_addresses()
    return httpx.AsyncClient(
        base_url=url.rstrip("/"),
        headers={"Authorization": f"Bearer {key}"},
        timeout=_TIMEOUT,
        limits=httpx.Limits(max_connections=STATUSES_AT_ONCE, max_keepalive_connections=50),
    )


def payload(request: JobRequest, run_seconds: float, queue_seconds: float) -> bytes:
    """The body of /run. `ttl` counts from the submission, the queue included.

    A recording of 24 h with 10,000 regions of speech is 0.4 MB.

    Raises:
        RecordingError: it is larger than RunPod takes.
    """
    policy = {
        "executionTimeout": max(round(run_seconds * 1000), LEAST_RUN_MS),
        "ttl": max(round((queue_seconds + run_seconds) * 1000), LEAST_TTL_MS),
    }
    input_ = request.model_dump(mode="json", exclude_none=True)
    body = json.dumps({"input": input_, "policy": policy}, separators=(",", ":")).encode()
    if len(body) > PAYLOAD_BYTES:
        raise RecordingError(
            "request_too_large",
            f"Its request has {len(body):,} bytes with {len(request.regions):,} regions of "
            f"speech, and RunPod takes {PAYLOAD_BYTES:,}.",
            "Choose another backend for it, or cut the recording.",
            permanent=False,
        )
    return body


class EndpointClient:
    """One endpoint. `http` opens it at the first call; `secret`: the key, which no error shows."""

    def __init__(
        self, http: Callable[[], httpx.AsyncClient], endpoint: str, secret: str, time_: Time
    ) -> None:
        self._http, self._endpoint, self._secret, self._time = http, endpoint, secret, time_
        clock, sleep = time_.clock, time_.sleep
        self._runs = Pace(RUNS, RUNS_AT_ONCE, clock, sleep)
        self._cancels = Pace(CANCELS, CANCELS_AT_ONCE, clock, sleep)

    async def submit(self, body: bytes) -> str:
        """The new job's id.

        Raises:
            BackendUnavailableError: refused, or nobody knows whether it arrived.
        """
        path = addresses.run(self._endpoint)
        try:
            told = await self._tried("POST", path, self._runs, body, id_)
        except TroubleError as trouble:
            what, lasting = f"RunPod takes no job now ({trouble.what}).", False
        except RefusedError as refused:
            what, lasting = refusal(refused, self._endpoint), True
        else:
            return id_(told)
        raise BackendUnavailableError(what, lasting=lasting)

    async def status(self, job: str) -> dict[str, Any]:
        """Once, whatever comes of it: the poller has its own pace.

        Raises:
            TroubleError: no news.
            RefusedError: 404 where there is no such job, any more or yet.
        """
        return await self._ask("GET", addresses.status(self._endpoint, job))

    async def cancel(self, job: str) -> None:
        """At most 50 of these in 10 s.

        Raises:
            TroubleError: nobody knows.
            RefusedError: 404 where the job is gone.
        """
        await self._tried("POST", addresses.cancel(self._endpoint, job), self._cancels)

    async def health(self) -> dict[str, Any]:
        """As /health has it; tried twice.

        Raises:
            TroubleError: no answer.
            RefusedError: no such endpoint, or not with this key.
        """
        try:
            return await self._ask("GET", addresses.health(self._endpoint))
        except TroubleError as trouble:
            if trouble.retry_after_seconds:
                raise
        await self._time.sleep(backoff_seconds(1, self._time.jitter))
        return await self._ask("GET", addresses.health(self._endpoint))

    async def _tried(
        self,
        method: str,
        path: str,
        pace: Pace,
        body: bytes | None = None,
        check: Callable[[dict[str, Any]], object] = bool,
    ) -> dict[str, Any]:
        """A few times, later and later, within 45 s. Where RunPod says so, all others wait too."""
        clock, began = self._time.clock, self._time.clock()
        for failures in itertools.count(1):
            try:
                async with pace.turn():
                    told = await self._ask(method, path, body)
                check(told)
            except TroubleError as trouble:
                told_to_wait = trouble.retry_after_seconds or 0.0
                wait = told_to_wait + backoff_seconds(failures, self._time.jitter)
                if failures == TRIES or clock() - began + wait > WITHIN_SECONDS:
                    raise
            else:
                return told
            pace.pause(told_to_wait)
            await self._time.sleep(wait)
        raise AssertionError  # it counts for ever

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        return await ask(
            self._http(), method, path, now=self._time.now(), secret=self._secret, body=body
        )


def id_(told: dict[str, Any]) -> str:
    """The job's id in the answer to /run.

    Raises:
        TroubleError: there is none.
    """
    found = told.get("id")
    if not isinstance(found, str) or not found:
        raise TroubleError("an answer without a job's id")
    return found


def refusal(refused: RefusedError, endpoint: str) -> str:
    """What to do where RunPod does not take a request."""
    if refused.is_key:
        return (
            f"RunPod refuses the key (HTTP {refused.status}): set RUNPOD_API_KEY to a key of "
            "the account with access to the endpoint."
        )
    if refused.is_unknown:
        return (
            f"RunPod knows no endpoint {endpoint!r}: set RUNPOD_ENDPOINT_ID to what "
            "`escriba deploy runpod` names."
        )
    return f"RunPod refuses the job ({refused}): see what it says, and `escriba doctor`."
