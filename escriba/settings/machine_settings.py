from pydantic import Field

from .base import SettingsGroup


class MachineSettings(SettingsGroup):
    """Machines of a cloud's batch service (`aws_gpu`, `gcp_gpu`), which get many jobs at once."""

    machine_gather_jobs: int = Field(
        100,
        ge=1,
        description="Batch machines: number of jobs after which those that were gathered leave for "
        "machines. More keep their requests in memory, 0.2 MB for an hour of speech.",
    )
    machine_gather_seconds: float = Field(
        20.0,
        ge=0,
        le=45,
        description="Batch machines: maximum number of seconds that a job waits for others, so "
        "that they share the start of a machine. At most 45: a job that is not submitted within 60 "
        "seconds counts as abandoned.",
    )
    machine_lease_seconds: int = Field(
        14_400,
        ge=600,
        description="Batch machines: maximum number of seconds that one machine works; a single "
        "job that may run longer gets more. 4 hours fit into the queue limit of 6 hours, within "
        "which the last job of a machine must begin.",
    )
    machines_at_once: int = Field(
        10,
        ge=1,
        description="Batch machines: number of machines of one kind over which jobs are spread. "
        "The cloud's limit of vCPUs applies too.",
    )
    machine_jobs_at_once: int = Field(
        500,
        ge=1,
        description="Batch machines: maximum number of jobs of one kind of machine in progress.",
    )
