"""One queue of AWS Batch as a provider of machines."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from escriba.billing.quotes import Health
from escriba.errors import BackendUnavailableError
from escriba.text_for.plain_lines import log_line
from resources.gpu.batch_machines.provider import MachineJob, MachineState

from . import urls
from .answers import NoAnswerError, RefusedError, refusal
from .capacity import CapacityWatch
from .client import BatchClient
from .health import HealthWatch
from .job_request import submit_request
from .job_states import state_of
from .submission import submit_once

DESCRIBED_AT_ONCE = 100  # the most that DescribeJobs takes
STOPPED_AT_ONCE = 50  # the most that TerminateJobs takes
_REASON = "Escriba no longer needs this job."

logger = logging.getLogger(__name__)


class AwsBatchProvider:
    """A queue, and the job definition of the worker. client: shared by all queues."""

    def __init__(self, client: BatchClient, queue: str, definition: str) -> None:
        self._client, self._queue, self._definition = client, queue, definition
        self._capacity = CapacityWatch(client.time.clock)
        self._watch = HealthWatch(client, queue, self._capacity)

    async def submit(self, job: MachineJob) -> str:
        """Submit it, unless a job of its name exists; returns the job's id.

        Raises:
            BackendUnavailableError: it was refused, or it is unknown whether it arrived.
        """
        request = submit_request(job, self._queue, self._definition)
        try:
            return await submit_once(self._client, request)
        except NoAnswerError as error:
            what, lasting = f"AWS Batch accepts no job now ({error.what}).", False
        except RefusedError as refused:
            what, lasting = refusal(refused, self._client.region), True
        raise BackendUnavailableError(what, lasting=lasting)

    async def states(self, ids: Sequence[str]) -> dict[str, MachineState]:
        """The states of jobs, a hundred in a request; unknown jobs are missing.

        Raises:
            BackendUnavailableError: AWS Batch does not answer.
        """
        jobs = await self._described(ids)
        self._capacity.note(jobs)
        return {id_: state_of(job) for id_, job in jobs.items()}

    async def stop(self, ids: Sequence[str]) -> None:
        """Stop jobs, waiting or running; failures are only logged.

        TerminateJobs cancels those that wait. CancelJobs would pass over a job that has started
        since it was looked at.
        """
        for part in _parts(ids, STOPPED_AT_ONCE):
            try:
                answer = await self._client.call("terminate_jobs", jobs=part, reason=_REASON)
            except (NoAnswerError, RefusedError) as error:
                logger.warning(
                    "%d jobs on AWS Batch were not stopped: %s", len(part), log_line(error)
                )
            else:
                _warn_of(answer.get("errors") or [])

    async def health(self) -> Health:
        """Whether the queue accepts jobs now; requested at most every 30 s; never raises."""
        return await self._watch.health()

    def console_url(self, id_: str) -> str:
        """The job's page, which links its log stream."""
        return urls.job_page(self._client.region, id_)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _described(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        try:
            for part in _parts(ids, DESCRIBED_AT_ONCE):
                answer = await self._client.call("describe_jobs", jobs=part)
                found |= {job["jobId"]: job for job in answer.get("jobs") or []}
        except NoAnswerError as error:
            what, lasting = f"AWS Batch does not answer ({error.what}).", False
        except RefusedError as refused:
            what, lasting = refusal(refused, self._client.region), True
        else:
            return found
        raise BackendUnavailableError(what, lasting=lasting)


def _warn_of(errors: list[dict[str, Any]]) -> None:
    codes = sorted({str(error.get("code") or "unknown") for error in errors})
    if errors:
        logger.warning("%d jobs on AWS Batch were not stopped: %s", len(errors), ", ".join(codes))


def _parts(ids: Sequence[str], size: int) -> Iterator[list[str]]:
    for begin in range(0, len(ids), size):
        yield list(ids[begin : begin + size])
