"""Which zones offer a machine with its GPU, and the quota for it, from Compute Engine."""

import re
from typing import Any

from escriba.errors import BackendUnavailableError, EscribaError
from resources.http.json_requests import RefusedError, TransientError

from . import urls
from .batch_options import BatchOptions
from .google_requests import GoogleRequests
from .machine_types import MachineType

_PAGE = "500"
# by the family or the GPU: cloud.google.com/compute/resource-usage#gpu_quota
_QUOTAS = (
    (re.compile(r"g2-"), "NVIDIA_L4_GPUS"),
    (re.compile(r"n1-.*-t4"), "NVIDIA_T4_GPUS"),
    (re.compile(r"n1-.*-p4"), "NVIDIA_P4_GPUS"),
    (re.compile(r"n1-.*-p100"), "NVIDIA_P100_GPUS"),
    (re.compile(r"n1-.*-v100"), "NVIDIA_V100_GPUS"),
    (re.compile(r"a2-highgpu"), "NVIDIA_A100_GPUS"),
    (re.compile(r"a2-ultragpu"), "NVIDIA_A100_80GB_GPUS"),
)


class NotReadableError(EscribaError):
    """Compute Engine does not say it; jobs may run nevertheless."""


class MachineOffers:
    """One project's view; each question is one request, or one for each page."""

    def __init__(self, requests: GoogleRequests, project: str) -> None:
        self._requests, self._project = requests, project

    async def zones(self, machine: MachineType) -> dict[str, list[str]]:
        """By region: the zones that offer the machine, and the GPU that is attached to it.

        Raises:
            NotReadableError: no usable answer.
        """
        zones = await self._zones_of(urls.machine_types(self._project), machine.type)
        if machine.gpu:
            zones &= await self._zones_of(urls.accelerator_types(self._project), machine.gpu)
        found: dict[str, list[str]] = {}
        for zone in sorted(zones):
            found.setdefault(zone.rpartition("-")[0], []).append(zone)
        return found

    async def quota(self, options: BatchOptions, region: str) -> float | None:
        """How many of its GPUs the project may use in a region; None if there is no such quota.

        Spot and flex-start machines use the quota of preemptible ones.

        Raises:
            NotReadableError: no usable answer.
        """
        name = next((name for like, name in _QUOTAS if like.match(options.machine.name)), "")
        if options.provisioning != "standard":
            name = f"PREEMPTIBLE_{name}"
        answer = await self._ask(urls.one_region(self._project, region), {})
        quotas = answer.get("quotas")
        for quota in quotas if isinstance(quotas, list) else []:
            if isinstance(quota, dict) and quota.get("metric") == name:
                limit = quota.get("limit")
                return float(limit) if isinstance(limit, int | float) else None
        return None

    async def _zones_of(self, path: str, name: str) -> set[str]:
        found: set[str] = set()
        params = {"filter": f'name = "{name}"', "maxResults": _PAGE}
        while True:
            answer = await self._ask(path, params)
            found |= _zones_in(answer)
            token = answer.get("nextPageToken")
            if not isinstance(token, str) or not token:
                return found
            params["pageToken"] = token

    async def _ask(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        try:
            return await self._requests.ask("GET", path, params)
        except TransientError as error:
            fault = error.what
        except (RefusedError, BackendUnavailableError) as error:
            fault = str(error)
        raise NotReadableError(fault)


def _zones_in(answer: dict[str, Any]) -> set[str]:
    """The zones of an aggregated list that have an item."""
    items = answer.get("items")
    if not isinstance(items, dict):
        return set()
    return {
        place.removeprefix("zones/")
        for place, found in items.items()
        if place.startswith("zones/") and isinstance(found, dict) and found.keys() - {"warning"}
    }
