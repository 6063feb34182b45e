from pydantic import Field

from .base import SettingsGroup
from .field_types import PlainUrl


class AwsSettings(SettingsGroup):
    """The aws_gpu backend: the queues of AWS Batch, in AWS_REGION and with its credentials."""

    aws_batch_queues: str = Field(
        "",
        description="AWS: job queues of AWS Batch, one for each machine type, so that the price is "
        "known: type=queue,type=queue. `escriba deploy aws` prints them.",
    )
    aws_batch_job_definition: str = Field(
        "",
        description="AWS: job definition of the worker, by its name or as name:revision; `escriba "
        "deploy aws` prints it.",
    )
    aws_batch_url: PlainUrl = Field(
        "", description="AWS: AWS Batch endpoint of another server, for tests."
    )
