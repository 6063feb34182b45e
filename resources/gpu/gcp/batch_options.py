"""What the settings say about jobs on GCP Batch, checked."""

import re
from dataclasses import dataclass

from escriba.settings import Settings, SettingsError
from escriba.settings.field_types import comma_separated
from escriba.settings.gcp_settings import Provisioning

from .machine_types import MachineType, machine_type_of

_REGION = re.compile(r"[a-z]+(-[a-z]+)+\d+")
_PROJECT = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """The options of one machine type. regions: in the order in which they are tried."""

    project: str
    machine: MachineType
    regions: tuple[str, ...]
    image: str
    provisioning: Provisioning
    service_account: str = ""
    network: str = ""
    subnetwork: str = ""
    external_address: bool = True
    disk_gb: int = 50

    @property
    def sku(self) -> str:
        """The machine's name in the price book."""
        return self.machine.sku(self.provisioning)


def batch_options(settings: Settings) -> list[BatchOptions]:
    """The options of each machine type of GCP_BATCH_MACHINES, or none.

    Raises:
        SettingsError: names the setting, and what is wrong with it.
    """
    names = comma_separated(settings.gcp_batch_machines)
    if not names:
        return []
    if len(names) != len(set(names)):
        raise SettingsError("GCP_BATCH_MACHINES: a machine type is named twice.")
    _check(settings)
    return [
        BatchOptions(
            project=settings.gcp_project,
            machine=machine_type_of(name),
            regions=regions_of(settings),
            image=settings.gcp_batch_image,
            provisioning=settings.gcp_batch_provisioning,
            service_account=settings.gcp_batch_service_account,
            network=settings.gcp_batch_network,
            subnetwork=settings.gcp_batch_subnetwork or settings.gcp_batch_network,
            external_address=settings.gcp_batch_external_address,
            disk_gb=settings.gcp_batch_disk_gb,
        )
        for name in names
    ]


def regions_of(settings: Settings) -> tuple[str, ...]:
    """GCP_BATCH_REGIONS, or GCP_REGION, each one once.

    Raises:
        SettingsError: one is not a region.
    """
    regions = comma_separated(settings.gcp_batch_regions) or (settings.gcp_region,)
    for region in regions:
        if not _REGION.fullmatch(region):
            raise SettingsError(
                f"GCP_BATCH_REGIONS: {region!r} is not a region such as us-central1. Zones are "
                "chosen by Google."
            )
    return tuple(dict.fromkeys(regions))


def _check(settings: Settings) -> None:
    if not _PROJECT.fullmatch(settings.gcp_project):
        raise SettingsError(
            f"GCP_PROJECT: {settings.gcp_project!r} is not a project ID. GCP_BATCH_MACHINES needs "
            "the ID of the project in which Batch runs the jobs, as in Google's console."
        )
    if not settings.gcp_batch_image:
        raise SettingsError(
            "GCP_BATCH_IMAGE is empty, but GCP_BATCH_MACHINES is set. Set the address of the "
            "worker's image (docs/worker-image.md)."
        )
