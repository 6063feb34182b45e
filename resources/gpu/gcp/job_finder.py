"""Finds jobs with few requests: many by lists, few one by one, and moved ones in other regions."""

import asyncio
from collections.abc import Sequence

from resources.http.json_requests import RefusedError, TransientError

from .batch_client import BatchClient
from .job_states import SeenJob

ONE_BY_ONE = 4  # a page of a list has 500 jobs with their definitions: 1.5 MB
MOST_PAGES = 10  # a project keeps ended jobs for 60 days; those that are followed are the newest
_KEPT = 10_000


class JobFinder:
    """Remembers where it found jobs that were not in their region."""

    def __init__(self, client: BatchClient, regions: Sequence[str]) -> None:
        self._client, self._regions = client, tuple(regions)
        self._found_in: dict[str, str] = {}

    def known_region(self, name: str) -> str:
        """Where a job was found or left; empty if it is not known."""
        return self._found_in.get(name, "")

    def remember(self, name: str, region: str) -> None:
        """Note where a job is."""
        if len(self._found_in) >= _KEPT:
            del self._found_in[next(iter(self._found_in))]
        self._found_in[name] = region

    async def find(self, region: str, names: Sequence[str]) -> dict[str, SeenJob | None]:
        """The jobs by name; None for those that no region has.

        Raises:
            TransientError: the region does not answer.
            RefusedError: its jobs may not be read.
        """
        found = await self._listed(region, set(names)) if len(names) > ONE_BY_ONE else {}
        # a list shows a new job only after a while, so what it lacks is looked up
        missing = [name for name in names if name not in found]
        looked_up = await asyncio.gather(*(self._look(region, name) for name in missing))
        return {**found, **dict(zip(missing, looked_up, strict=True))}

    async def region_of(self, name: str) -> str:
        """The region that has the job; empty if none has it, or none can tell.

        With one region there is nothing to look for: a second job of its name is refused.
        """
        if len(self._regions) == 1:
            return ""
        found = await self._elsewhere(name, but="")
        return found.region if found else ""

    async def _listed(self, region: str, names: set[str]) -> dict[str, SeenJob | None]:
        found: dict[str, SeenJob | None] = {}
        pages = 0
        async for page in self._client.newest(region):
            found |= {job.name: job for job in page if job.name in names}
            pages += 1
            if len(found) == len(names) or pages == MOST_PAGES:
                break
        return found

    async def _look(self, region: str, name: str) -> SeenJob | None:
        found = await self._client.job(region, name)
        return found or await self._elsewhere(name, but=region)

    async def _elsewhere(self, name: str, but: str) -> SeenJob | None:
        """The job in another region, which it moved to; one that leaves its region is not there."""
        others = [region for region in self._regions if region != but]
        for found in await asyncio.gather(*(self._quietly(region, name) for region in others)):
            if found is not None and not found.is_leaving:
                self.remember(name, found.region)
                return found
        return None

    async def _quietly(self, region: str, name: str) -> SeenJob | None:
        """None also if that region does not answer or refuses: it must not stop jobs of others."""
        try:
            return await self._client.job(region, name)
        except (TransientError, RefusedError):
            return None
