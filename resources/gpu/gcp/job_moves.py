"""A job that gets no machine in its region goes to the next one, as a new job of the same name.

The old job is deleted, and seen to be gone, before the new one is created: a manifest never has two
machines. (If it had, the leases of its attempts would still keep them apart.)
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from escriba.errors import BackendUnavailableError
from escriba.text_for.plain_lines import log_line
from resources.gpu.backend import AttemptReport
from resources.gpu.batch_machines.provider import MachineJob, MachineState
from resources.gpu.batch_machines.time_sources import Clock
from resources.http.json_requests import RefusedError, TransientError

from .batch_client import BatchClient
from .job_states import SeenJob
from .region_choice import Regions

LEAST_PATIENCE_SECONDS = 60.0
DRY_PATIENCE_SECONDS = 600.0  # Batch tries all zones of a region again and again

Create = Callable[[str, MachineJob], Awaitable[object]]
_WAITS = MachineState("waits")

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class MovingJob:
    """A job of this process. tried: the regions it was in. waits_since: for its next machine."""

    job: MachineJob = field(repr=False)
    region: str
    tried: list[str]
    waits_since: float | None = None
    is_leaving: bool = False
    is_stopped: bool = False


class JobMoves:
    """create: makes the job in a region, or attaches to it."""

    def __init__(self, client: BatchClient, regions: Regions, create: Create, clock: Clock) -> None:
        self._client, self._regions, self._create, self._clock = client, regions, create, clock

    async def next_state(self, ours: MovingJob, found: SeenJob | None) -> MachineState | None:
        """Its state after a look, or None if it is gone; takes the next step of a move."""
        if found is not None and found.region != ours.region:
            self._arrived(ours, found.region)
        if ours.is_leaving:
            return await self._leave_on(ours, found)
        if found is None:
            return None
        self._regions.note(found.region, found.lack if _lacks_a_machine(found) else "")
        if self._is_to_leave(ours, found) and await self._leaves(ours, found):
            return _WAITS
        return found.state

    def patience_seconds(self, ours: MovingJob, found: SeenJob) -> float:
        """Its region's part of the queue limit, or ten minutes if Google says that it is dry."""
        share = ours.job.queue_limit_seconds / len(self._regions.names)
        most = min(share, DRY_PATIENCE_SECONDS) if found.lack else share
        return max(most, LEAST_PATIENCE_SECONDS)

    def _is_to_leave(self, ours: MovingJob, found: SeenJob) -> bool:
        if not _lacks_a_machine(found):
            ours.waits_since = None
            return False
        if ours.is_stopped or not self._regions.after(ours.tried):
            return False
        if found.state.phase == "ended":
            return True
        if ours.waits_since is None:
            ours.waits_since = self._clock()
        return self._clock() - ours.waits_since >= self.patience_seconds(ours, found)

    async def _leaves(self, ours: MovingJob, found: SeenJob) -> bool:
        """Whether it leaves its region: not if its machine has come since the look.

        It may have left if the answer was lost, so the next look decides.
        """
        try:
            now = await self._client.job(found.region, found.name)
            if now is None or not _lacks_a_machine(now):
                return False
            ours.is_leaving = True
            await self._client.delete(found.region, found.name)
        except TransientError as error:
            logger.warning(
                "Job %s may wait on in %s: %s", found.name, found.region, log_line(error)
            )
        except (RefusedError, BackendUnavailableError) as error:
            ours.is_leaving = False
            logger.warning("Job %s waits in %s: %s", found.name, found.region, log_line(error))
        return ours.is_leaving

    async def _leave_on(self, ours: MovingJob, found: SeenJob | None) -> MachineState | None:
        """The next step after the deletion was requested."""
        if found is None:
            return await self._go_on(ours)
        if found.is_leaving:
            return _WAITS
        ours.is_leaving = False  # it was not deleted, and the next look decides again
        return found.state

    async def _go_on(self, ours: MovingJob) -> MachineState | None:
        region = self._regions.after(ours.tried)
        if ours.is_stopped:
            return MachineState("ended", AttemptReport("CANCELLED", code="cancelled"))
        if not region:
            why = "no region of GCP_BATCH_REGIONS has a machine or accepts the job"
            return MachineState("ended", AttemptReport("FAILED", why, "cancelled"))
        try:
            await self._create(region, ours.job)
        except RefusedError as refused:
            logger.warning(
                "%s does not accept job %s: %s", region, ours.job.name, log_line(refused)
            )
            ours.tried.append(region)
        except (TransientError, BackendUnavailableError) as error:
            logger.warning("Job %s has no region now: %s", ours.job.name, log_line(error))
        else:
            logger.info("Job %s goes on in %s.", ours.job.name, region)
            self._arrived(ours, region)
        return _WAITS

    @staticmethod
    def _arrived(ours: MovingJob, region: str) -> None:
        ours.region, ours.is_leaving, ours.waits_since = region, False, None
        if region not in ours.tried:
            ours.tried.append(region)


def _lacks_a_machine(found: SeenJob) -> bool:
    """It waits for one, or failed for want of one."""
    failed = found.state.report is not None and found.state.report.status == "FAILED"
    return found.needs_machine or (failed and bool(found.lack))
