"""How an endpoint should be set up, and where one differs from it. Asks nobody.

Every setting is said, since RunPod's defaults differ between its guide, its schema and what its
servers do; fields as in docs.runpod.io/api-reference-v2/serverless/create-a-serverless-endpoint.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.settings import Settings, SettingsError

# by its name in the price book: RunPod's GPU types of one price
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
}
LEAST_CUDA = "13.0"  # what torch in the image is made for (docs/worker-image.md)
DISK_GB = 30  # 24 h of audio, decoded, in eight channels
QUEUE_DELAY_SECONDS = 4  # a job that waits longer starts another worker
INIT_SECONDS = 1_200  # RunPod calls a worker unhealthy that is not ready in 7 min otherwise
_NOT_SET = "not set"
_REGIONS = "dataCenterIds"
_NAME = "name"  # people may call an endpoint what they like


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that is not as it should be."""

    setting: str
    deployed: str
    wanted: str


def endpoint_name(gpu: str) -> str:
    """By which an endpoint is found where no id is set."""
    return f"escriba-{gpu}"


def wanted_endpoint(
    settings: Settings, gpu: str, gpu_types: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """The endpoint of one GPU, as RunPod takes it. `gpu_types`: RunPod's catalogue.

    Raises:
        SettingsError: names the setting that is missing or wrong.
    """
    if settings.runpod_workers_min > settings.runpod_workers_max:
        raise SettingsError(
            f"RUNPOD_WORKERS_MIN={settings.runpod_workers_min} is more than "
            f"RUNPOD_WORKERS_MAX={settings.runpod_workers_max}: lower the one or raise the other."
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
        _REGIONS: sorted(filter(None, map(str.strip, settings.runpod_regions.split(",")))),
        "timeout": settings.job_timeout_seconds * 1000,
        "flashboot": "FLASHBOOT",
    }


def _selection(gpu: str, gpu_types: list[Mapping[str, Any]]) -> dict[str, Any]:
    """RunPod selects by pool; all others of the pool are excluded, or the bill knows no price."""
    if gpu not in GPU_TYPES:
        raise SettingsError(f"RUNPOD_GPU: {gpu!r} is none of {', '.join(GPU_TYPES)}.")
    ours = set(GPU_TYPES[gpu])
    pools = {str(kind["pool"]) for kind in gpu_types if kind.get("id") in ours and kind.get("pool")}
    if not pools:
        raise SettingsError(
            f"RUNPOD_GPU: RunPod has no {' or '.join(sorted(ours))} for serverless now: choose "
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
    """What would be changed. Variables of others in `env` are nobody's business, nor shown."""
    found = []
    for setting, value in _flat(wanted):
        there = _at(deployed, setting)
        any_will_do = setting == _REGIONS and not value  # RunPod may list all of them then
        if setting != _NAME and not any_will_do and not _same(value, there):
            found.append(Difference(setting, _shown(there), _shown(value)))
    return found


def change(wanted: Mapping[str, Any], deployed: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a PATCH: whole groups, since pools without exclusions would clear those."""
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


def _at(deployed: Mapping[str, Any], setting: str) -> Any:  # noqa: ANN401  # whatever RunPod says
    name, _, part = setting.partition(".")
    found = deployed.get(name)
    if not part:
        return found
    return found.get(part) if isinstance(found, Mapping) else None


def _same(wanted: Any, there: Any) -> bool:  # noqa: ANN401
    """Lists without an order; nothing is as good as empty."""
    if isinstance(wanted, list):
        return sorted(wanted) == sorted(there if isinstance(there, list) else [])
    return bool(wanted == there) or (wanted == "" and there is None)


def _shown(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return _NOT_SET if value is None else str(value) or "none"
