"""The health of GCP Batch: whether jobs may be listed, and whether regions lack machines."""

import asyncio
from collections.abc import Mapping

from escriba.billing.quotes import Health
from escriba.errors import BackendUnavailableError
from resources.http.json_requests import RefusedError, TransientError

from .batch_client import BatchClient
from .job_states import Lack
from .refusals import advice
from .region_choice import Regions

_REASONS: Mapping[Lack, str] = {
    "capacity": "Google has no free machine in {where} now; jobs wait, or go on elsewhere "
    "(add regions to GCP_BATCH_REGIONS, or another machine type to GCP_BATCH_MACHINES)",
    "quota": "the quota of project {project!r} in {where} is used up (request more of it in the "
    "console: IAM and Admin, Quotas: preemptible GPUs for spot, and GPUs_ALL_REGIONS)",
}


async def health_of(client: BatchClient, regions: Regions, project: str) -> Health:
    """Down if no region answers, lasting if an operator has to act; never raises.

    | answers | verdict |
    | a region answers and lacks nothing | well |
    | each region that answers lacks machines or quota | degraded |
    | none answers | down |
    | all refuse, or there is no token | down, lasting |
    """
    looks = (region_health(client, name, project) for name in regions.names)
    troubles = dict(zip(regions.names, await asyncio.gather(*looks), strict=True))
    answering = [name for name, trouble in troubles.items() if trouble is None]
    if not answering:
        found = [trouble for trouble in troubles.values() if trouble is not None]
        return next((one for one in found if not one.lasting), found[0])
    lacks = {name: regions.lack(name) for name in answering}
    if not all(lacks.values()):
        return Health("well")
    lack: Lack = "quota" if "quota" in lacks.values() else "capacity"
    where = ", ".join(name for name, one in lacks.items() if one == lack)
    return Health("degraded", _REASONS[lack].format(where=where, project=project))


async def region_health(client: BatchClient, region: str, project: str) -> Health | None:
    """What is wrong with one region; None if jobs may be listed. Never raises."""
    try:
        await client.check(region)
    except TransientError as error:
        return Health("down", f"GCP Batch does not answer in {region} ({error.what})")
    except RefusedError as refused:
        return Health("down", advice(refused, project), lasting=True)
    except BackendUnavailableError as error:
        return Health("down", str(error), lasting=error.lasting)
    return None
