"""Recordings that a limit on money deferred are asked for again when it allows them."""

import asyncio
import hashlib

import dagster as dg

from assets.names import RECORDINGS_JOB


@dg.sensor(
    name="budget_sensor",
    job_name=RECORDINGS_JOB,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={"settings"},
    description="Asks for deferred recordings as far as the budget allows them.",
)
def budget_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """A request for each set of deferrals, made once; the requests sensor begins the run."""
    from assets.deferred import affordable, deferred  # noqa: PLC0415  # no store while the UI looks
    from assets.requests import ask, new_request  # noqa: PLC0415
    from resources.storage import open_storage  # noqa: PLC0415

    settings = context.resources.settings
    storage = open_storage(settings)
    waiting = deferred(storage)
    if not waiting:
        return dg.SkipReason("Nothing is deferred.")
    taken = asyncio.run(affordable(settings, storage, waiting))
    if not taken:
        return dg.SkipReason(f"{len(waiting)} are deferred; the budget allows none of them yet.")
    name = hashlib.sha256("".join(f"{r.name}{taken[r].at}" for r in taken).encode()).hexdigest()
    recordings = sorted(taken)
    ask(storage, new_request("the budget allows it", recordings, name=f"deferred-{name[:16]}"))
    return dg.SkipReason(f"Asked for {len(recordings)} of {len(waiting)} that were deferred.")
