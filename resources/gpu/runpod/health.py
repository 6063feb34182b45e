"""What an endpoint's /health means. HTTP 200 alone is no health."""

import asyncio
from collections.abc import Mapping
from typing import Any

from pipelines.billing.quotes import Health

from .answers import RefusedError, TroubleError
from .client import EndpointClient, refusal
from .pace import Clock

KEPT_SECONDS = 30.0
_GIVEN_UP_SECONDS = 600.0  # a worker that starts shows as initializing within seconds
_WORKERS = ("idle", "ready", "running", "initializing", "throttled", "unhealthy")


def verdict(told: Mapping[str, Any], alone_seconds: float) -> Health:
    """By this table, the first line that fits; `alone_seconds`: how long jobs had no worker.

    | workers | queue | verdict |
    | any idle, ready, running, initializing | – | well |
    | throttled alone | – | degraded: no card is free |
    | unhealthy alone | – | down: the image or the models fail |
    | none | empty | well: one starts with the first job |
    | none | jobs, at the first look | well |
    | none | jobs, for up to 10 min | degraded |
    | none | jobs, for longer | down |
    """
    workers, queued = counts(told)
    if any(workers[name] for name in ("idle", "ready", "running", "initializing")):
        return Health("well")
    if workers["throttled"]:
        return Health(
            "degraded",
            f"all {workers['throttled']} workers are throttled: RunPod has no free card of this "
            "kind now (allow more data centres in RUNPOD_REGIONS, or add RUNPOD_ENDPOINTS)",
        )
    if workers["unhealthy"]:
        return Health(
            "down",
            f"all {workers['unhealthy']} workers are unhealthy: the image or its models do not "
            "start (see their logs in RunPod's console)",
        )
    if not queued or alone_seconds <= 0:
        return Health("well")
    found = (
        f"{queued} jobs in the queue and no worker for {alone_seconds:.0f} s: max workers may have "
        "fallen to 0 (`escriba doctor`, then `escriba deploy runpod`)"
    )
    return Health("down" if alone_seconds >= _GIVEN_UP_SECONDS else "degraded", found)


def counts(told: Mapping[str, Any]) -> tuple[dict[str, int], int]:
    """Workers by state, and jobs in the queue; what is missing or no number is 0."""
    workers, jobs = (_object(told, name) for name in ("workers", "jobs"))
    return {name: _number(workers, name) for name in _WORKERS}, _number(jobs, "inQueue")


def _object(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _number(counted: Mapping[str, Any], name: str) -> int:
    found = counted.get(name)
    return found if isinstance(found, int) and found > 0 else 0


class HealthWatch:
    """Asks at most every 30 s, however many want to know."""

    def __init__(self, client: EndpointClient, endpoint: str, clock: Clock) -> None:
        self._client, self._endpoint, self._clock = client, endpoint, clock
        self._one = asyncio.Lock()
        self._known: Health | None = None
        self._asked = 0.0
        self._alone_since: float | None = None

    async def health(self) -> Health:
        """The verdict; never raises."""
        async with self._one:
            if self._known is None or self._clock() - self._asked >= KEPT_SECONDS:
                self._known = await self._look()
                self._asked = self._clock()
            return self._known

    async def _look(self) -> Health:
        try:
            told = await self._client.health()
        except TroubleError as trouble:
            return Health("down", f"RunPod does not answer ({trouble.what})")
        except RefusedError as refused:
            return Health("down", refusal(refused, self._endpoint), lasting=True)
        return verdict(told, self._alone_for(told))

    def _alone_for(self, told: Mapping[str, Any]) -> float:
        """Seconds for which jobs wait and there is no worker at all; 0 at the first look."""
        workers, queued = counts(told)
        if not queued or any(workers.values()):
            self._alone_since = None
            return 0.0
        if self._alone_since is None:
            self._alone_since = self._clock()
        return self._clock() - self._alone_since
