"""The health of a queue: its own state, that of its compute environments, and its first job."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from escriba.billing.quotes import Health
from resources.http.json_requests import readable

from .answers import NoAnswerError, RefusedError, refusal
from .capacity import LONG_SECONDS, CapacityWatch
from .client import BatchClient

KEPT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """What AWS Batch says of a queue. queue: None if it does not exist.

    head_seconds: how long the first job has been first; 0 without one, None if it is unknown.
    """

    name: str
    region: str
    queue: Mapping[str, Any] | None
    environments: tuple[Mapping[str, Any], ...] = ()
    head_seconds: float | None = None


def verdict(facts: QueueFacts) -> Health:
    """The first matching line of this table.

    | queue | compute environments | first job | verdict |
    | missing, or DISABLED, or INVALID | – | – | down, lasting |
    | CREATING, DELETING or DELETED | – | – | down |
    | ENABLED | none is ENABLED and usable | – | down, lasting |
    | ENABLED | at least one is | first for over 10 min | degraded: no capacity |
    | ENABLED | at least one is | – | well |
    """
    name = facts.name
    if facts.queue is not None and facts.queue.get("status") in {"CREATING", "DELETING", "DELETED"}:
        return Health("down", f"the queue {name} is {str(facts.queue['status']).lower()}")
    if trouble := queue_trouble(facts):
        return Health("down", trouble, lasting=True)
    if trouble := environment_trouble(facts.environments):
        reason = f"the queue {name} has no usable compute environment: {trouble}"
        return Health("down", reason, lasting=True)
    if facts.head_seconds is not None and facts.head_seconds >= LONG_SECONDS:
        return Health("degraded", _no_capacity(name, facts.region))
    return Health("well")


def queue_trouble(facts: QueueFacts) -> str:
    """Why the queue itself takes no jobs until somebody acts; empty if it does."""
    name, queue = facts.name, facts.queue
    if queue is None:
        return (
            f"AWS Batch has no queue {name!r} in AWS_REGION={facts.region}: run `escriba deploy "
            "aws`, or correct AWS_BATCH_QUEUES"
        )
    if queue.get("state") == "DISABLED":
        return f"the queue {name} is disabled: enable it in the console of AWS Batch"
    if queue.get("status") == "INVALID":
        return f"the queue {name} is invalid ({_reason(queue)}): run `escriba deploy aws`"
    return ""


def environment_trouble(environments: tuple[Mapping[str, Any], ...]) -> str:
    """Why no compute environment can start machines; empty if one can."""
    troubles = [_environment(one) for one in environments]
    if troubles and all(troubles):
        return "; ".join(troubles)
    return "" if troubles else "none is attached: run `escriba deploy aws`"


def _no_capacity(queue: str, region: str) -> str:
    return (
        f"a job of {queue} has waited for a machine for more than {LONG_SECONDS / 60:.0f} minutes: "
        f"{region} has no spot capacity of this type now, or all of max vCPUs are in use"
    )


def _environment(one: Mapping[str, Any]) -> str:
    name = one.get("computeEnvironmentName")
    if one.get("state") == "DISABLED":
        return f"{name} is disabled: enable it in the console of AWS Batch"
    if one.get("status") in {"VALID", "UPDATING"}:
        return ""
    status = str(one.get("status") or "unknown").lower()
    return f"{name} is {status} ({_reason(one)}): run `escriba doctor`, then `escriba deploy aws`"


def _reason(one: Mapping[str, Any]) -> str:
    return readable(str(one.get("statusReason") or "no reason given"))


def head_seconds(snapshot: Mapping[str, Any]) -> float:
    """How long the first job has been first, by AWS's own clock; 0 without one."""
    front = snapshot.get("frontOfQueue") or {}
    jobs = front.get("jobs") or []
    if not jobs or not front.get("lastUpdatedAt"):
        return 0.0
    since = jobs[0].get("earliestTimeAtPosition") or front["lastUpdatedAt"]
    return max(0.0, (int(front["lastUpdatedAt"]) - int(since)) / 1000)


class HealthWatch:
    """Asks AWS Batch at most every 30 s, for any number of callers."""

    def __init__(self, client: BatchClient, queue: str, capacity: CapacityWatch) -> None:
        self._client, self._queue, self._capacity = client, queue, capacity
        self._lock = asyncio.Lock()
        self._known: Health | None = None
        self._asked_at = 0.0

    async def health(self) -> Health:
        """The verdict; never raises."""
        clock = self._client.time.clock
        async with self._lock:
            if self._known is None or clock() - self._asked_at >= KEPT_SECONDS:
                self._known = await self._look()
                self._asked_at = clock()
            return self._known

    async def _look(self) -> Health:
        try:
            found = verdict(await read_facts(self._client, self._queue))
        except NoAnswerError as error:
            return Health("down", f"AWS Batch does not answer ({error.what})")
        except RefusedError as refused:
            reason = refusal(refused, self._client.region)
            return Health("down", reason, lasting=True)
        if found.state == "well" and self._capacity.is_short:
            return Health("degraded", _no_capacity(self._queue, self._client.region))
        return found


async def read_facts(client: BatchClient, queue: str) -> QueueFacts:
    """Ask AWS Batch about a queue.

    Raises:
        NoAnswerError: no usable answer.
        RefusedError: AWS refuses the request.
    """
    answer = await client.call("describe_job_queues", jobQueues=[queue])
    found = next(iter(answer.get("jobQueues") or []), None)
    if found is None:
        return QueueFacts(queue, client.region, None)
    order = sorted(found.get("computeEnvironmentOrder") or [], key=lambda one: one["order"])
    names = [one["computeEnvironment"] for one in order]
    environments: tuple[Mapping[str, Any], ...] = ()
    if names:
        request = {"computeEnvironments": names}
        described = await client.call("describe_compute_environments", **request)
        environments = tuple(described.get("computeEnvironments") or [])
    return QueueFacts(queue, client.region, found, environments, await _head(client, queue))


async def _head(client: BatchClient, queue: str) -> float | None:
    """None without the permission, or while AWS does not answer: the queue takes jobs anyway."""
    try:
        return head_seconds(await client.call_once("get_job_queue_snapshot", jobQueue=queue))
    except (NoAnswerError, RefusedError):
        return None
