"""The health of an endpoint, from its /health. HTTP 200 alone does not mean healthy."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from escriba.billing.quotes import Health
from resources.http.json_requests import RefusedError, TransientError
from resources.http.rate_limiter import Clock

from .client import EndpointClient, refusal

KEPT_SECONDS = 30.0
_GIVEN_UP_SECONDS = 600.0  # a worker that starts shows as initializing within seconds
_WORKERS = ("idle", "ready", "running", "initializing", "throttled", "unhealthy")


def verdict(answer: Mapping[str, Any], alone_seconds: float) -> Health:
    """The first matching line of this table. alone_seconds: how long jobs have had no worker.

    | workers | queue | verdict |
    | any idle, ready, running, initializing | – | well |
    | only throttled ones | – | degraded: no GPU is free |
    | only unhealthy ones | – | down: the image or the models fail |
    | none | empty | well: one starts with the first job |
    | none | jobs, at the first look | well |
    | none | jobs, for up to 10 min | degraded |
    | none | jobs, for longer | down |
    """
    workers, queued = counts(answer)
    if any(workers[name] for name in ("idle", "ready", "running", "initializing")):
        return Health("well")
    if workers["throttled"]:
        return Health(
            "degraded",
            f"all {workers['throttled']} workers are throttled: RunPod has no free GPU of this "
            "kind now (allow more data centers in RUNPOD_REGIONS, or add RUNPOD_ENDPOINTS)",
        )
    if workers["unhealthy"]:
        return Health(
            "down",
            f"all {workers['unhealthy']} workers are unhealthy: the image or its models do not "
            "start (read their logs in RunPod's console)",
        )
    if not queued or alone_seconds <= 0:
        return Health("well")
    reason = (
        f"{queued} jobs in the queue and no worker for {alone_seconds:.0f} s: RunPod may have set "
        "max workers to 0 (run `escriba doctor`, then `escriba deploy runpod`)"
    )
    return Health("down" if alone_seconds >= _GIVEN_UP_SECONDS else "degraded", reason)


def counts(answer: Mapping[str, Any]) -> tuple[dict[str, int], int]:
    """Workers by state, and jobs in the queue; a missing or unusable number is 0."""
    workers, jobs = (_object(answer, name) for name in ("workers", "jobs"))
    return {name: _number(workers, name) for name in _WORKERS}, _number(jobs, "inQueue")


def _object(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = answer.get(name)
    return found if isinstance(found, dict) else {}


def _number(counted: Mapping[str, Any], name: str) -> int:
    found = counted.get(name)
    return found if isinstance(found, int) and found > 0 else 0


class QueuedApart(Protocol):
    """Jobs that workers of their own take, which /health may count as queued but not as workers."""

    @property
    def open_requests(self) -> int:
        """How many there are."""
        ...


class HealthWatch:
    """Requests /health at most every 30 s, for any number of callers."""

    def __init__(
        self, client: EndpointClient, endpoint: str, clock: Clock, apart: QueuedApart | None = None
    ) -> None:
        self._client, self._endpoint, self._clock = client, endpoint, clock
        self._apart = apart
        self._lock = asyncio.Lock()
        self._known: Health | None = None
        self._asked_at = 0.0
        self._alone_since: float | None = None

    async def health(self) -> Health:
        """The verdict; never raises."""
        async with self._lock:
            if self._known is None or self._clock() - self._asked_at >= KEPT_SECONDS:
                self._known = await self._look()
                self._asked_at = self._clock()
            return self._known

    async def _look(self) -> Health:
        try:
            answer = await self._client.health()
        except TransientError as error:
            return Health("down", f"RunPod does not answer ({error.what})")
        except RefusedError as refused:
            return Health("down", refusal(refused, self._endpoint), lasting=True)
        return verdict(answer, self._alone_seconds(answer))

    def _alone_seconds(self, answer: Mapping[str, Any]) -> float:
        """How long jobs have waited without any worker; 0 at the first look."""
        workers, queued = counts(answer)
        apart = self._apart.open_requests if self._apart else 0
        if queued <= apart or any(workers.values()):
            self._alone_since = None
            return 0.0
        if self._alone_since is None:
            self._alone_since = self._clock()
        return self._clock() - self._alone_since
