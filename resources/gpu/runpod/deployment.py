"""The wanted configuration of an endpoint, and how a deployed one differs. Makes no request.

Every setting is sent, since RunPod's defaults differ between its guide, its schema and its
servers; fields as in docs.runpod.io/api-reference-v2/serverless/create-a-serverless-endpoint.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from escriba.settings import Settings, SettingsError
from escriba.settings.field_types import comma_separated

# by name in the price book: RunPod's GPU types with the same price
GPU_TYPES = {
    "l4": ("NVIDIA L4",),
    "rtx4090": ("NVIDIA GeForce RTX 4090",),
    "rtx3090": ("NVIDIA GeForce RTX 3090",),
    "a5000": ("NVIDIA RTX A5000",),
    "a40": ("NVIDIA A40",),
    "a6000": ("NVIDIA RTX A6000",),
    "l40s": ("NVIDIA L40S",),
    "a100": ("NVIDIA A100 80GB PCIe", "NVIDIA A100-SXM4-80GB"),
    "h100": ("NVIDIA H100 80GB HBM3", "NVIDIA H100 PCIe", "NVIDIA H100 NVL"),
    "a4000": ("NVIDIA RTX A4000",),  # this and the next three: the pool of 16 GB
    "a4500": ("NVIDIA RTX A4500",),
    "rtx4000ada": ("NVIDIA RTX 4000 Ada Generation",),
    "rtx2000ada": ("NVIDIA RTX 2000 Ada Generation",),
    "rtxpro6000": (
        "NVIDIA RTX PRO 6000 Blackwell Server Edition",
        "NVIDIA RTX PRO 6000 Blackwell Workstation Edition",
        "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition",
    ),
    "h200": ("NVIDIA H200",),
    "b200": ("NVIDIA B200",),
}
LEAST_CUDA = "13.0"  # the CUDA version of torch in the image (docs/worker-image.md)
DISK_GB = 30  # 24 h of audio, decoded, in eight channels
QUEUE_DELAY_SECONDS = 4  # a job that waits longer starts another worker
INIT_SECONDS = 1_200  # otherwise RunPod calls a worker unhealthy if it is not ready in 7 min
_NOT_SET = "not set"
_REGIONS = "dataCenterIds"
_NAME = "name"  # you may rename an endpoint


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting with another value than the wanted one."""

    setting: str
    deployed: str
    wanted: str


def regions_of(settings: Settings) -> list[str]:
    """The data centers of RUNPOD_REGIONS; empty: any."""
    return list(comma_separated(settings.runpod_regions))


def endpoint_name(gpu: str) -> str:
    """The name by which an endpoint is found if no id is set."""
    return f"escriba-{gpu}"


def wanted_endpoint(
    settings: Settings, gpu: str, gpu_types: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """The endpoint for one GPU, as RunPod's API expects it. gpu_types: RunPod's catalog.

    Raises:
        SettingsError: names the setting that is missing or wrong.
    """
    if settings.runpod_workers_min > settings.runpod_workers_max:
        raise SettingsError(
            f"RUNPOD_WORKERS_MIN={settings.runpod_workers_min} is more than "
            f"RUNPOD_WORKERS_MAX={settings.runpod_workers_max}. Lower the first or raise the other."
        )
    return {
        _NAME: endpoint_name(gpu),
        "type": "QUEUE",
        "image": settings.runpod_image,
        "args": "",
        "disk": DISK_GB,
        "ports": [],
        "env": {"RUNPOD_INIT_TIMEOUT": str(INIT_SECONDS)},
        "gpu": _selection(gpu, list(gpu_types)),
        "workers": {
            "min": settings.runpod_workers_min,
            "max": settings.runpod_workers_max,
            "idleTimeout": settings.runpod_idle_seconds,
        },
        "scaling": {"type": "QUEUE_DELAY", "queueDelay": QUEUE_DELAY_SECONDS},
        _REGIONS: sorted(regions_of(settings)),
        "networkVolumes": [],  # a volume ties the workers to its data center
        "timeout": settings.job_timeout_seconds * 1000,
        "flashboot": "FLASHBOOT",
    }


def _selection(gpu: str, gpu_types: list[Mapping[str, Any]]) -> dict[str, Any]:
    """RunPod selects by pool; the pool's other types are excluded, so that the price is known."""
    if gpu not in GPU_TYPES:
        raise SettingsError(f"RUNPOD_GPU: {gpu!r} is not one of {', '.join(GPU_TYPES)}.")
    ours = set(GPU_TYPES[gpu])
    pools = {str(kind["pool"]) for kind in gpu_types if kind.get("id") in ours and kind.get("pool")}
    if not pools:
        raise SettingsError(
            f"RUNPOD_GPU: RunPod has no {' or '.join(sorted(ours))} for serverless now. Choose "
            f"another one of {', '.join(GPU_TYPES)}."
        )
    others = {str(kind["id"]) for kind in gpu_types if kind.get("pool") in pools} - ours
    return {
        "pools": sorted(pools),
        "excludedTypes": sorted(others),
        "count": 1,
        "allowedCudaVersions": [],
        "minCudaVersion": LEAST_CUDA,
    }


def differences(wanted: Mapping[str, Any], deployed: Mapping[str, Any]) -> list[Difference]:
    """What a deployment would change. Other variables in `env` are neither compared nor shown."""
    found = []
    for setting, value in _flat(wanted):
        current = _at(deployed, setting)
        is_any_region = setting == _REGIONS and not value  # RunPod may then list all of them
        if setting != _NAME and not is_any_region and not _same(value, current):
            found.append(Difference(setting, _shown(current), _shown(value)))
    return found


def change(wanted: Mapping[str, Any], deployed: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a PATCH: whole groups, since sending pools alone would clear the exclusions."""
    groups = {difference.setting.partition(".")[0] for difference in differences(wanted, deployed)}
    body = {name: value for name, value in wanted.items() if name in groups - {"type"}}
    if "env" in body:
        body["env"] = {**(deployed.get("env") or {}), **wanted["env"]}
    return body


def _flat(wanted: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in wanted.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{part}", inner) for part, inner in value.items())
        else:
            yield name, value


def _at(deployed: Mapping[str, Any], setting: str) -> Any:  # noqa: ANN401  # RunPod's JSON
    name, _, part = setting.partition(".")
    found = deployed.get(name)
    if not part:
        return found
    return found.get(part) if isinstance(found, Mapping) else None


def _same(wanted: Any, current: Any) -> bool:  # noqa: ANN401
    """Compare without the order of lists; a missing value equals an empty one."""
    if isinstance(wanted, list):
        return sorted(wanted) == sorted(current if isinstance(current, list) else [])
    return bool(wanted == current) or (wanted == "" and current is None)


def _shown(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return _NOT_SET if value is None else str(value) or "none"
