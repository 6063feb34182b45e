"""The EC2 machine types with one GPU: on these, a machine is a worker.

Figures: the pages of the G4dn, G5 and G6 types at aws.amazon.com/ec2/instance-types.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MachineType:
    """memory_mib: of the machine; its system and the ECS agent take some 1,500 MiB of it."""

    name: str
    gpu: str
    memory_mib: int


ONE_GPU = {
    one.name: one
    for one in (
        MachineType("g4dn.xlarge", "T4", 16_384),
        MachineType("g4dn.2xlarge", "T4", 32_768),
        MachineType("g5.xlarge", "A10G", 16_384),
        MachineType("g5.2xlarge", "A10G", 32_768),
        MachineType("g6.xlarge", "L4", 16_384),
        MachineType("g6.2xlarge", "L4", 32_768),
    )
}
SEVERAL_GPUS = {
    "g4dn.12xlarge": 4,
    "g4dn.metal": 8,
    "g5.12xlarge": 4,
    "g5.24xlarge": 4,
    "g5.48xlarge": 8,
    "g6.12xlarge": 4,
    "g6.24xlarge": 4,
    "g6.48xlarge": 8,
}
