"""The calls to one endpoint: submit, status, cancel and health."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from escriba.errors import BackendUnavailableError, RecordingError
from gpu_job.contract import JobRequest
from resources.http.hide_urls import hide_urls
from resources.http.json_requests import RefusedError, TransientError, ask
from resources.http.rate_limiter import Clock, Jitter, RateLimiter, Sleep, backoff_seconds
from resources.storage.clock import utc_now

from . import urls

# half of what RunPod allows in 10 s, since other runs and people send requests too; for status a
# tenth less, so that delayed requests do not exceed the limit
RUNS, RUNS_AT_ONCE = 500, 100
STATUSES, STATUSES_AT_ONCE = 900, 200
CANCELS, CANCELS_AT_ONCE = 50, 10
TRIES = 4
WITHIN_SECONDS = 45.0  # others may abandon an attempt that is not submitted within 60 s
PAYLOAD_BYTES = 10_000_000
LEAST_RUN_MS, LEAST_TTL_MS = 5_000, 10_000
_TIMEOUT = httpx.Timeout(20, connect=10, write=40, pool=120)


@dataclass(frozen=True, slots=True)
class Time:
    """The sources of time and randomness."""

    clock: Clock = time.monotonic
    sleep: Sleep = asyncio.sleep
    jitter: Jitter = random.random
    now: Callable[[], datetime] = utc_now


def open_http(url: str, key: str) -> httpx.AsyncClient:
    """A pooled HTTP/1.1 client; its URLs are never logged."""
    hide_urls()
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
        RecordingError: it is larger than RunPod accepts.
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
            f"Its request has {len(body):,} bytes with {len(request.regions):,} speech regions, "
            f"and RunPod accepts at most {PAYLOAD_BYTES:,} bytes.",
            "Choose another backend for it, or split the recording.",
            permanent=False,
        )
    return body


class EndpointClient:
    """One endpoint. http: opens the client at the first call. secret: the key, never in errors."""

    def __init__(
        self, http: Callable[[], httpx.AsyncClient], endpoint: str, secret: str, time_: Time
    ) -> None:
        self._http, self._endpoint, self._secret, self._time = http, endpoint, secret, time_
        clock, sleep = time_.clock, time_.sleep
        self._runs = RateLimiter(RUNS, RUNS_AT_ONCE, clock, sleep)
        self._cancels = RateLimiter(CANCELS, CANCELS_AT_ONCE, clock, sleep)

    async def submit(self, body: bytes, within_seconds: float = WITHIN_SECONDS) -> str:
        """The new job's id. within_seconds: no try begins later.

        Raises:
            BackendUnavailableError: it was refused, or it is unknown whether it arrived.
        """
        path = urls.run(self._endpoint)
        try:
            answer = await self.retry(
                "POST", path, self._runs, body, id_, within_seconds=within_seconds
            )
        except TransientError as error:
            what, lasting = f"RunPod accepts no job now ({error.what}).", False
        except RefusedError as refused:
            what, lasting = refusal(refused, self._endpoint), True
        else:
            return id_(answer)
        raise BackendUnavailableError(what, lasting=lasting)

    async def status(self, job: str) -> dict[str, Any]:
        """The job's status, requested once: the poller does its own retries.

        Raises:
            TransientError: no usable answer.
            RefusedError: 404: there is no such job, no longer or not yet.
        """
        return await self.ask("GET", urls.status(self._endpoint, job))

    async def cancel(self, job: str) -> None:
        """Cancel a job; at most 50 requests in 10 s.

        Raises:
            TransientError: it is unknown whether it was cancelled.
            RefusedError: 404: the job no longer exists.
        """
        await self.retry("POST", urls.cancel(self._endpoint, job), self._cancels)

    async def health(self) -> dict[str, Any]:
        """The answer of /health; tried twice.

        Raises:
            TransientError: no usable answer.
            RefusedError: there is no such endpoint, or the key has no access to it.
        """
        try:
            return await self.ask("GET", urls.health(self._endpoint))
        except TransientError as error:
            if error.retry_after_seconds:
                raise
        await self._time.sleep(backoff_seconds(1, self._time.jitter))
        return await self.ask("GET", urls.health(self._endpoint))

    async def retry(  # noqa: PLR0913  # a request, and how it is repeated
        self,
        method: str,
        path: str,
        limiter: RateLimiter,
        body: bytes | None = None,
        check: Callable[[dict[str, Any]], object] = bool,
        *,
        within_seconds: float = WITHIN_SECONDS,
    ) -> dict[str, Any]:
        """Up to TRIES requests with backoff. A Retry-After pauses all other ones too.

        check: raises TransientError if the answer is unusable. within_seconds: no try begins later.

        Raises:
            TransientError: no usable answer.
            RefusedError: RunPod refuses it.
        """
        clock, began = self._time.clock, self._time.clock()
        for failures in itertools.count(1):
            try:
                async with limiter.turn():
                    answer = await self.ask(method, path, body)
                check(answer)
            except TransientError as error:
                retry_after = error.retry_after_seconds or 0.0
                wait = retry_after + backoff_seconds(failures, self._time.jitter)
                if failures == TRIES or clock() - began + wait > within_seconds:
                    raise
            else:
                return answer
            limiter.pause(retry_after)
            await self._time.sleep(wait)
        raise AssertionError  # the loop never ends by itself

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send one request.

        Raises:
            TransientError: no usable answer.
            RefusedError: RunPod refuses it.
        """
        now, secret = self._time.now(), self._secret
        return await ask(
            self._http(), method, path, now=now, secret=secret, body=body, params=params
        )


def id_(answer: dict[str, Any]) -> str:
    """The job's id in the answer to /run.

    Raises:
        TransientError: there is none.
    """
    found = answer.get("id")
    if not isinstance(found, str) or not found:
        raise TransientError("an answer without a job id")
    return found


def refusal(refused: RefusedError, endpoint: str) -> str:
    """The error text and the advice for a request that RunPod refuses."""
    if refused.is_key:
        return (
            f"RunPod refuses the key (HTTP {refused.status}). Set RUNPOD_API_KEY to a key of "
            "the account with access to the endpoint."
        )
    if refused.is_unknown:
        return (
            f"RunPod does not know the endpoint {endpoint!r}. Set RUNPOD_ENDPOINT_ID to the id "
            "that `escriba deploy runpod` prints."
        )
    return f"RunPod refuses the job ({refused}). Run `escriba doctor` to check the endpoint."
