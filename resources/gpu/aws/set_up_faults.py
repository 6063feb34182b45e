"""What is wrong with a set-up of AWS Batch, and what to do; pure rules for `escriba doctor`."""

from collections.abc import Iterator, Mapping
from typing import Any

from .machine_types import MachineType

SYSTEM_MIB = 2_384  # of a machine, for its system and the ECS agent: 14,000 MiB of 16 GiB are left
HOP_LIMIT = 2  # a container is one hop farther from the metadata service than its machine
_STRATEGY = "SPOT_PRICE_CAPACITY_OPTIMIZED"
_IMAGE = "ECS_AL2023_NVIDIA"


def environment_faults(environment: Mapping[str, Any], machine: MachineType) -> Iterator[str]:
    """The faults of a compute environment."""
    name = environment.get("computeEnvironmentName")
    resources = environment.get("computeResources") or {}
    if resources.get("type") == "SPOT" and resources.get("allocationStrategy") != _STRATEGY:
        found = resources.get("allocationStrategy") or "BEST_FIT"
        yield f"{name} has the allocation strategy {found}: use {_STRATEGY}"
    if resources.get("minvCpus"):
        count = resources["minvCpus"]
        yield f"{name} keeps {count} vCPUs running, which are always paid for: set min vCPUs to 0"
    types = resources.get("instanceTypes") or []
    if types != [machine.name]:
        yield (
            f"{name} starts {', '.join(types) or 'any type'}, and the price is that of "
            f"{machine.name}: allow this type alone, and a queue of its own for each other one"
        )
    images = {one.get("imageType") for one in resources.get("ec2Configuration") or []}
    if images - {_IMAGE}:
        yield f"{name} has the image {', '.join(sorted(map(str, images)))}: use {_IMAGE}"


def metadata_faults(environment: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[str]:
    """The faults of a launch template. options: its MetadataOptions.

    What they leave out is the image's: ECS_AL2023_NVIDIA requires IMDSv2, with a hop limit of 2.
    """
    name = environment.get("computeEnvironmentName")
    if options.get("HttpTokens") == "optional":
        yield f"the machines of {name} do not require IMDSv2: set HttpTokens=required"
    if (options.get("HttpPutResponseHopLimit") or HOP_LIMIT) < HOP_LIMIT:
        yield (
            f"workers on {name} cannot read interruption notices: set HttpPutResponseHopLimit="
            f"{HOP_LIMIT} in the launch template"
        )


def definition_faults(definition: Mapping[str, Any], machine: MachineType) -> Iterator[str]:
    """The faults of a job definition, for a machine type."""
    name = f"job definition {definition.get('jobDefinitionName')}"
    container = definition.get("containerProperties") or {}
    wanted = {one["type"]: one["value"] for one in container.get("resourceRequirements") or []}
    if wanted.get("GPU") != "1":
        yield f"{name} asks for {wanted.get('GPU', 'no')} GPU: set 1, so that a machine is a worker"
    memory, most = int(wanted.get("MEMORY") or container.get("memory") or 0), _most_mib(machine)
    if memory > most:
        yield (
            f"{name} asks for {memory:,} MiB, and {machine.name} can give {most:,} MiB: its jobs "
            "would wait for ever. Set less memory"
        )
    if not _retries_only_lost_hosts(definition.get("retryStrategy") or {}):
        yield (
            f"{name} repeats jobs that failed: retry only onStatusReason 'Host EC2*', as Escriba's "
            "own jobs do"
        )


def _most_mib(machine: MachineType) -> int:
    return machine.memory_mib - SYSTEM_MIB


def _retries_only_lost_hosts(strategy: Mapping[str, Any]) -> bool:
    if (strategy.get("attempts") or 1) == 1:
        return True
    rules = strategy.get("evaluateOnExit") or []
    again = [one for one in rules if str(one.get("action")).upper() == "RETRY"]
    ends = any(str(one.get("action")).upper() == "EXIT" for one in rules)
    return ends and all(str(one.get("onStatusReason")).startswith("Host EC2") for one in again)
