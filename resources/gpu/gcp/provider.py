"""GCP Batch as a provider of machines: each job lives in one region, and may move to the next."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence

from escriba.billing.quotes import Health
from escriba.errors import BackendUnavailableError
from escriba.text_for.plain_lines import log_line
from resources.gpu.batch_machines.provider import MachineJob, MachineState
from resources.gpu.batch_machines.time_sources import REAL_TIME, Time
from resources.http.json_requests import RefusedError, TransientError

from . import urls
from .access_token import AccessToken
from .batch_client import BatchClient
from .batch_options import BatchOptions
from .google_requests import GoogleRequests
from .health import health_of
from .job_definition import job_definition
from .job_finder import JobFinder
from .job_moves import JobMoves, MovingJob
from .job_states import SeenJob
from .refusals import advice
from .region_choice import Regions

# attempts have waited for each other before, and are abandoned after 60 s without a submission
SUBMIT_SECONDS = 15.0
_CLOSE_SECONDS = 10.0
_MOVES = MachineState("waits")  # as other processes see a job that leaves its region
_KEPT = 5_000

logger = logging.getLogger(__name__)


class GcpMachines:
    """One machine type of a project.

    An id is `region/name`, of the region in which the job was submitted. The name is unique in all
    regions, so a job that has moved is found by any process.
    """

    def __init__(
        self, options: BatchOptions, url: str, token: AccessToken, time_: Time = REAL_TIME
    ) -> None:
        self._options = options
        self._requests = GoogleRequests(url, token)
        self._client = BatchClient(self._requests, options.project, time_)
        self._regions = Regions(options.regions, time_.clock)
        self._finder = JobFinder(self._client, self._regions.names)
        self._moves = JobMoves(self._client, self._regions, self._create_in, time_.clock)
        self._ours: dict[str, MovingJob] = {}  # by name: what this process submitted
        self._withdrawals: set[asyncio.Task[None]] = set()

    async def submit(self, job: MachineJob) -> str:
        """Attach to a job of that name in any region, or create one in the first that takes it."""
        try:
            async with asyncio.timeout(SUBMIT_SECONDS):
                region = await self._finder.region_of(job.name) or await self._create(job)
        except TimeoutError:
            what = f"GCP Batch accepts no job now (no answer within {SUBMIT_SECONDS:.0f} s)."
            raise BackendUnavailableError(what) from None
        except TransientError as error:
            raise BackendUnavailableError(f"GCP Batch accepts no job now ({error.what}).") from None
        except RefusedError as refused:
            what = advice(refused, self._options.project)
            raise BackendUnavailableError(what, lasting=True) from None
        if len(self._ours) >= _KEPT:  # those that the engine has long forgotten
            del self._ours[next(iter(self._ours))]
        self._ours[job.name] = MovingJob(job, region, [region])
        return f"{region}/{job.name}"

    async def states(self, ids: Sequence[str]) -> dict[str, MachineState]:
        """Jobs of regions that do not answer have the phase `unknown`."""
        places = {id_: self._place(id_) for id_ in ids}
        by_region: defaultdict[str, list[str]] = defaultdict(list)
        for region, name in places.values():
            by_region[region].append(name)
        seen, silent = await self._seen(by_region)
        states = {}
        for id_, (region, name) in places.items():
            state = MachineState("unknown") if region in silent else await self._judge(name, seen)
            if state is not None:
                states[id_] = state
        return states

    async def stop(self, ids: Sequence[str]) -> None:
        await asyncio.gather(*(self._stop(*self._place(id_)) for id_ in ids))

    async def health(self) -> Health:
        return await health_of(self._client, self._regions, self._options.project)

    def console_url(self, id_: str) -> str:
        return urls.console_page(self._options.project, *self._place(id_))

    async def close(self) -> None:
        if self._withdrawals:
            await asyncio.wait(self._withdrawals, timeout=_CLOSE_SECONDS)
        await self._requests.close()

    async def _seen(
        self, by_region: dict[str, list[str]]
    ) -> tuple[dict[str, SeenJob | None], set[str]]:
        """The jobs by name, and the regions that do not answer. All are asked at once."""
        looks = (self._finder.find(region, names) for region, names in by_region.items())
        answers = await asyncio.gather(*looks, return_exceptions=True)
        seen: dict[str, SeenJob | None] = {}
        silent: dict[str, str] = {}
        for region, answer in zip(by_region, answers, strict=True):
            if isinstance(answer, dict):
                seen |= answer
            elif isinstance(answer, TransientError):
                silent[region] = answer.what
            elif isinstance(answer, RefusedError):
                raise BackendUnavailableError(advice(answer, self._options.project))
            else:
                raise answer
        if silent and len(silent) == len(by_region):
            whats = ", ".join(sorted(set(silent.values())))
            raise BackendUnavailableError(f"GCP Batch does not answer ({whats}).")
        return seen, {*silent}

    async def _create(self, job: MachineJob) -> str:
        """The region that took it. A region that refuses it is left out."""
        refusals: list[RefusedError] = []
        for region in self._regions.order():
            try:
                await self._create_in(region, job)
            except (TransientError, asyncio.CancelledError):
                self._withdraw(region, job.name)
                raise
            except RefusedError as refused:
                refusals.append(refused)
                if refused.is_key:
                    break
            else:
                return region
        raise refusals[0]

    async def _create_in(self, region: str, job: MachineJob) -> bool:
        """Create it, or attach to it."""
        definition = job_definition(self._options, job, region)
        return await self._client.create(region, job.name, definition)

    def _withdraw(self, region: str, name: str) -> None:
        """Stop a job that may have arrived, and whose id nobody knows."""
        task = asyncio.create_task(self._stop(region, name), name="withdrawal")
        self._withdrawals.add(task)
        task.add_done_callback(self._withdrawals.discard)

    def _place(self, id_: str) -> tuple[str, str]:
        """The region where the job is now, as far as this process knows, and its name."""
        region, _, name = id_.rpartition("/")
        known = self._ours.get(name)
        if known is not None:
            return known.region, name
        return self._finder.known_region(name) or region or self._regions.names[0], name

    async def _judge(self, name: str, seen: dict[str, SeenJob | None]) -> MachineState | None:
        """The state as the engine sees it: a job between two regions waits."""
        found, ours = seen.get(name), self._ours.get(name)
        if ours is None and found is not None:  # it may be on its way to another region
            return _MOVES if found.is_leaving else found.state
        if ours is None:
            return None
        state = await self._moves.next_state(ours, found)
        if ours.is_stopped and found is None:  # stopped while it was between two regions
            await self._stop(ours.region, name)
        if state is not None and state.phase == "ended":
            self._ours.pop(name, None)
            self._finder.remember(name, ours.region)
        return state

    async def _stop(self, region: str, name: str) -> None:
        ours = self._ours.pop(name, None)
        if ours is not None:
            ours.is_stopped = True
        try:
            await self._client.cancel(region, name)
        except (TransientError, RefusedError, BackendUnavailableError) as error:
            logger.warning("Job %s on GCP Batch was not stopped: %s", name, log_line(error))
