"""Submitting a job once: SubmitJob has no idempotency token, so that its name is looked up.

ListJobs does not always know a new job at once. A second job of the same name costs the start of a
machine, and nothing more: its worker finds every lease taken (docs/idempotency.md).
"""

import asyncio
import itertools
from typing import Any

from resources.http.rate_limiter import backoff_seconds

from .answers import NoAnswerError
from .client import TRIES, BatchClient

LOOKS = 3  # after an answer that was lost: 1, 2 and 4 s apart
# attempts have waited for each other before, and are abandoned after 60 s without a submission
WITHIN_SECONDS = 15.0


async def submit_once(client: BatchClient, request: dict[str, Any]) -> str:
    """The id of the job of this name in its queue, submitted unless it exists; within 15 s.

    Raises:
        NoAnswerError: it is unknown whether it arrived, or it did not.
        RefusedError: AWS refuses it.
    """
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            return await _submitted(client, request)
    except TimeoutError:
        what = f"no answer within {WITHIN_SECONDS:.0f} s"
    raise NoAnswerError(what)


async def _submitted(client: BatchClient, request: dict[str, Any]) -> str:
    time_, began = client.time, client.time.clock()
    found = await _id_of(client, request)
    for failures in itertools.count(1):
        if found is not None:
            return found
        try:
            answer = await client.call_once("submit_job", **request)
        except NoAnswerError as error:
            found = None if error.is_refusal else await _looked_up(client, request)
            wait = backoff_seconds(failures, time_.jitter) if error.is_refusal else 0.0
            late = time_.clock() - began + wait > WITHIN_SECONDS
            if found is None and (failures == TRIES or late):
                raise
        else:
            return str(answer["jobId"])
        await time_.sleep(wait)
    raise AssertionError  # the loop never ends by itself


async def _looked_up(client: BatchClient, request: dict[str, Any]) -> str | None:
    """The id of a job whose submission got no answer; None if it did not arrive."""
    for look in range(1, LOOKS + 1):
        await client.time.sleep(backoff_seconds(look, client.time.jitter))
        found = await _id_of(client, request)
        if found is not None:
            return found
    return None


async def _id_of(client: BatchClient, request: dict[str, Any]) -> str | None:
    """The id of the oldest job of this name in the queue; None if there is none."""
    queue, name = request["jobQueue"], request["jobName"]
    filters = [{"name": "JOB_NAME", "values": [name]}]
    answer = await client.call("list_jobs", jobQueue=queue, filters=filters)
    jobs = [job for job in answer.get("jobSummaryList") or [] if job.get("jobName") == name]
    oldest = min(jobs, key=lambda job: job.get("createdAt") or 0, default=None)
    return None if oldest is None else str(oldest["jobId"])
