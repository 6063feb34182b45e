"""Requests deferred recordings again when the budget allows them."""

import asyncio

import dagster as dg

from escriba.masked_errors import masks_errors
from escriba.stages import RECORDINGS_JOB

from .running import keys_in_progress


@dg.sensor(
    name="budget_sensor",
    job_name=RECORDINGS_JOB,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={"settings"},
    description="Requests deferred recordings as soon as the budget limits allow them.",
)
@masks_errors
def budget_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """One request for each set of deferrals; the requests sensor starts the run.

    Recordings that a run is processing, or that are requested already, are left out. Recordings
    of a run that crashed are requested again in the next hour.
    """
    # the UI process loads no stores
    from intake.deferred_recordings import affordable, deferred, request_name  # noqa: PLC0415
    from intake.work_requests import new_request, read_requests, submit_request  # noqa: PLC0415
    from resources.storage import open_storage  # noqa: PLC0415
    from resources.storage.clock import utc_now  # noqa: PLC0415

    storage = open_storage(context.resources.settings)
    waiting = deferred(storage)
    if not waiting:
        return dg.SkipReason("No recording is deferred.")
    requested = {key for request in read_requests(storage) for key in request.keys}
    busy = requested | keys_in_progress(context.instance)
    allowed = asyncio.run(affordable(context.resources.settings, storage, waiting))
    taken = {one: refusal for one, refusal in allowed.items() if one.partition_key not in busy}
    if taken:
        name = request_name(taken, utc_now())
        submit_request(storage, new_request("the budget allows it", sorted(taken), name=name))
    return dg.SkipReason(_summary(len(waiting), len(allowed), len(taken)))


def _summary(waiting: int, allowed: int, taken: int) -> str:
    if taken:
        return f"Requested {taken} of {waiting} deferred recordings."
    if allowed:
        return f"{waiting} recordings are deferred; {allowed} are already in progress."
    return f"{waiting} recordings are deferred; the budget does not allow any of them yet."
