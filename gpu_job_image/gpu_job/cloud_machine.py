"""Which machine of a cloud this is: its id joins the provider's bill to the attempts on it."""

import sys
import time
from datetime import UTC, datetime, timedelta

from .contract import CloudMachine
from .instance_metadata import (
    AWS_METADATA,
    GCP_METADATA,
    AwsMetadata,
    GcpMetadata,
    NoMetadataError,
)


def host_started_at() -> datetime | None:
    """When the machine booted, about when its billing began; None if unknown.

    CLOCK_BOOTTIME is the machine's, in a container as well.
    """
    try:
        age = time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, AttributeError):
        return None
    return datetime.now(UTC) - timedelta(seconds=age)


def aws_machine(metadata: AwsMetadata) -> CloudMachine:
    """This instance of EC2.

    Raises:
        NoMetadataError: the metadata service does not answer.
    """
    return CloudMachine(
        id=metadata.text("instance-id"),
        type=metadata.text("instance-type"),
        zone=metadata.text("placement/availability-zone"),
        is_spot=metadata.text("instance-life-cycle") == "spot",
        started_at=host_started_at(),
    )


def gcp_machine(metadata: GcpMetadata) -> CloudMachine:
    """This instance of Compute Engine; type and zone are the last part of their paths.

    Raises:
        NoMetadataError: the metadata server does not answer.
    """
    return CloudMachine(
        id=metadata.text("id"),
        type=metadata.text("machine-type").rpartition("/")[2],
        zone=metadata.text("zone").rpartition("/")[2],
        started_at=host_started_at(),
    )


def this_machine(cloud: str, base_url: str = "") -> CloudMachine | None:
    """The machine of SPOT_NOTICES=aws or gcp; None elsewhere, or if the service does not answer.

    base_url: of the metadata service, where it is not at the cloud's usual address.
    """
    try:
        if cloud == "aws":
            return aws_machine(AwsMetadata(base_url or AWS_METADATA))
        if cloud == "gcp":
            return gcp_machine(GcpMetadata(base_url or GCP_METADATA))
    except NoMetadataError as error:
        sys.stderr.write(
            f"gpu_job: the machine's id is unknown: {error}. The work continues, and its cost is "
            "counted from the start of this container.\n"
        )
    return None
