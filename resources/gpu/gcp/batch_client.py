"""The calls to GCP Batch: create, look at, list, stop and delete jobs."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

from resources.gpu.batch_machines.time_sources import Time
from resources.http.json_requests import RefusedError
from resources.http.rate_limiter import RateLimiter
from resources.http.retries import Retries

from . import urls
from .google_requests import GoogleRequests
from .job_states import SeenJob, seen_job

# in 10 s and a region Google allows 1,000 changes and 2,500 reads (cloud.google.com/batch/quotas);
# half of them, since other processes and people send requests too
CHANGES, CHANGES_AT_ONCE = 500, 20
READS, READS_AT_ONCE = 1_250, 30
PAGE_JOBS = 500
# an end that cannot be stopped any more: it has ended, or is being deleted
_PRECONDITION, _CONFLICT = 400, 409


class BatchClient:
    """Batch in one project; the same limits hold for all its regions together."""

    def __init__(self, requests: GoogleRequests, project: str, time_: Time) -> None:
        self._requests, self._project = requests, project
        self._changes = RateLimiter(CHANGES, CHANGES_AT_ONCE, time_.clock, time_.sleep)
        self._reads = RateLimiter(READS, READS_AT_ONCE, time_.clock, time_.sleep)
        self._retries = Retries(time_.clock, time_.sleep, time_.jitter)
        self._twice = Retries(time_.clock, time_.sleep, time_.jitter, tries=2, within_seconds=10)

    async def create(self, region: str, name: str, definition: dict[str, Any]) -> bool:
        """Create a job; False if the region has one of that name.

        A request that is repeated within an hour is known by its id, and later by the job's name.

        Raises:
            TransientError: it is unknown whether it arrived.
            RefusedError: it was refused.
        """
        params = {"jobId": name, "requestId": request_id(region, name)}
        path = urls.jobs(self._project, region)
        try:
            await self._retries.send(
                lambda: self._requests.ask("POST", path, params, definition), self._changes
            )
        except RefusedError as refused:
            if refused.status != _CONFLICT:
                raise
            return False
        return True

    async def job(self, region: str, name: str) -> SeenJob | None:
        """The job; None if the region has none of that name.

        Raises:
            TransientError: no usable answer.
            RefusedError: it may not be read.
        """
        path = urls.one_job(self._project, region, name)
        try:
            answer = await self._retries.send(lambda: self._requests.ask("GET", path), self._reads)
        except RefusedError as refused:
            if not refused.is_unknown:
                raise
            return None
        return seen_job(answer)

    async def newest(self, region: str) -> AsyncIterator[list[SeenJob]]:
        """The jobs of a region, newest first, page by page.

        Raises:
            TransientError: no usable answer.
            RefusedError: they may not be listed.
        """
        params = {"pageSize": str(PAGE_JOBS), "orderBy": "create_time desc"}
        while True:
            answer = await self._list(region, dict(params))
            found = answer.get("jobs")
            yield [seen_job(one) for one in found] if isinstance(found, list) else []
            token = answer.get("nextPageToken")
            if not isinstance(token, str) or not token:
                return
            params["pageToken"] = token

    async def check(self, region: str) -> None:
        """List one job, to learn whether the region answers; tried twice, since others wait.

        Raises:
            TransientError: it does not.
            RefusedError: jobs may not be listed.
        """
        await self._list(region, {"pageSize": "1"}, self._twice)

    async def cancel(self, region: str, name: str) -> None:
        """Stop a job and keep its record; one that has ended, or that nobody knows, is no error.

        Raises:
            TransientError: it is unknown whether it was stopped.
            RefusedError: it may not be stopped.
        """
        path = urls.cancel(self._project, region, name)
        await self._change("POST", path, {"requestId": request_id(region, f"cancel {name}")})

    async def delete(self, region: str, name: str) -> None:
        """Delete a job, stopping it; one that is being deleted or that is gone is no error.

        Raises:
            TransientError: it is unknown whether it was deleted.
            RefusedError: it may not be deleted.
        """
        await self._change("DELETE", urls.one_job(self._project, region, name))

    async def _list(
        self, region: str, params: dict[str, str], retries: Retries | None = None
    ) -> dict[str, Any]:
        path = urls.jobs(self._project, region)
        return await (retries or self._retries).send(
            lambda: self._requests.ask("GET", path, params), self._reads
        )

    async def _change(self, method: str, path: str, body: dict[str, str] | None = None) -> None:
        try:
            await self._retries.send(
                lambda: self._requests.ask(method, path, body=body), self._changes
            )
        except RefusedError as refused:
            if not refused.is_unknown and refused.status not in {_PRECONDITION, _CONFLICT}:
                raise


def request_id(region: str, what: str) -> str:
    """The same UUID for each submission of the same job to the same region."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"escriba:{region}/{what}"))
