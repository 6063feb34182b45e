from typing import Literal

from pydantic import Field

from .base import SettingsGroup
from .field_types import PlainUrl

Provisioning = Literal["spot", "flex_start", "standard"]


class GcpSettings(SettingsGroup):
    """The gcp_gpu backend: GCP Batch, its machines and where they start."""

    gcp_project: str = Field("", description="GCP: ID of the project in which Batch runs jobs.")
    gcp_batch_machines: str = Field(
        "",
        description="GCP: comma-separated machine types with one GPU that may run jobs, as the "
        "price book names them, for example g2-standard-4. Empty: GCP gets no jobs.",
    )
    gcp_batch_regions: str = Field(
        "",
        description="GCP: comma-separated regions, in the order in which they are tried. "
        "Empty: GCP_REGION.",
    )
    gcp_batch_image: str = Field(
        "", description="GCP: image of the worker, in a registry that its machines can read."
    )
    gcp_batch_service_account: str = Field(
        "",
        description="GCP: email of the service account of the machines. Empty: the default one of "
        "Compute Engine, which often may do more than it needs.",
    )
    gcp_batch_provisioning: Provisioning = Field(
        "spot",
        description="GCP: `spot` is cheapest and may be preempted; `flex_start` waits for capacity "
        "and is not preempted; `standard` costs the list price.",
    )
    gcp_batch_network: str = Field(
        "", description="GCP: VPC network of the machines. Empty: the project's default network."
    )
    gcp_batch_subnetwork: str = Field(
        "",
        description="GCP: subnetwork of that network, of the same name in each region. Empty: the "
        "name of the network.",
    )
    gcp_batch_external_address: bool = Field(
        default=True,
        description="GCP: whether machines get an external IP address. Without one, the network "
        "needs Cloud NAT, or Private Google Access and a bucket and registry at Google.",
    )
    gcp_batch_disk_gb: int = Field(
        50,
        ge=30,
        description="GCP: size of the boot disk in GB, which holds the image and the audio of two "
        "recordings. An image with models needs about 20 GB.",
    )
    gcp_batch_url: PlainUrl = Field(
        "https://batch.googleapis.com", description="GCP: Batch API to which jobs are submitted."
    )
    gcp_compute_url: PlainUrl = Field(
        "https://compute.googleapis.com",
        description="GCP: Compute Engine API, from which `escriba doctor` reads machine types and "
        "quotas.",
    )
