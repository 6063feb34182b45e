"""Machines with one GPU, so that a machine is a worker: their types at Google, and their prices."""

import re
from dataclasses import dataclass

from escriba.settings import SettingsError
from escriba.settings.gcp_settings import Provisioning

# the GPU is part of these types; other sizes have several: cloud.google.com/compute/docs/gpus
_WITH_GPU = re.compile(r"g2-standard-(4|8|12|16|32)|g4-standard-48|a\d-[a-z]+gpu-1g")
# n1 machines have a GPU attached; the price book names them n1-standard-4-t4
_ATTACHED = re.compile(r"(?P<type>n1-[a-z]+-\d+)-(?P<gpu>[a-z]\d+)")
_GPUS = {
    "t4": "nvidia-tesla-t4",
    "p4": "nvidia-tesla-p4",
    "p100": "nvidia-tesla-p100",
    "v100": "nvidia-tesla-v100",
}


@dataclass(frozen=True, slots=True)
class MachineType:
    """name: in GCP_BATCH_MACHINES. type: at Google. gpu: to be attached; empty: it has one."""

    name: str
    type: str
    gpu: str = ""

    def sku(self, provisioning: Provisioning) -> str:
        """Its name in the price book: its own for spot, and `-on-demand` for the list price.

        Flex-start machines count as on demand: Google documents a discount for A and H series
        alone (cloud.google.com/compute/docs/instances/about-flex-start-vms), so this is the most
        that they cost.
        """
        return self.name if provisioning == "spot" else f"{self.name}-on-demand"


def machine_type_of(name: str) -> MachineType:
    """The machine type of a name in the settings.

    Raises:
        SettingsError: it has no GPU, or several.
    """
    if _WITH_GPU.fullmatch(name):
        return MachineType(name, name)
    found = _ATTACHED.fullmatch(name)
    if found and found["gpu"] in _GPUS:
        return MachineType(name, found["type"], _GPUS[found["gpu"]])
    raise SettingsError(
        f"GCP_BATCH_MACHINES: {name!r} is not a machine type with one GPU. Choose g2-standard-4, "
        "g2-standard-8, another G2, G4, A2 or A3 size with one GPU, or N1 with its GPU, such as "
        "n1-standard-4-t4."
    )
