"""Recordings that a limit on money deferred are asked for again when it allows them."""

import asyncio

import dagster as dg

from assets.names import RECORDINGS_JOB

from .running import keys_in_progress


@dg.sensor(
    name="budget_sensor",
    job_name=RECORDINGS_JOB,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={"settings"},
    description="Asks for deferred recordings as far as the budget allows them.",
)
def budget_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """A request for each set of deferrals; the requests sensor begins the run.

    What a run has, or was asked for, is left out; what is left by a run that died is asked for
    again in the next hour.
    """
    # no store while the UI looks
    from assets.deferred import affordable, deferred, request_name  # noqa: PLC0415
    from assets.requests import ask, new_request, read_requests  # noqa: PLC0415
    from resources.storage import open_storage  # noqa: PLC0415
    from resources.storage.clock import utc_now  # noqa: PLC0415

    settings = context.resources.settings
    storage = open_storage(settings)
    waiting = deferred(storage)
    if not waiting:
        return dg.SkipReason("Nothing is deferred.")
    asked = {key for request in read_requests(storage) for key in request.keys}
    busy = asked | keys_in_progress(context.instance)
    may = asyncio.run(affordable(settings, storage, waiting))
    if not may:
        return dg.SkipReason(f"{len(waiting)} are deferred; the budget allows none of them yet.")
    taken = {one: why for one, why in may.items() if one.partition_key not in busy}
    if not taken:
        return dg.SkipReason(f"{len(waiting)} are deferred; {len(may)} are under way already.")
    name, recordings = request_name(taken, utc_now()), sorted(taken)
    ask(storage, new_request("the budget allows it", recordings, name=name))
    return dg.SkipReason(f"Asked for {len(recordings)} of {len(waiting)} that were deferred.")
