from pydantic import Field, SecretStr

from .base import SettingsGroup
from .field_types import HeaderKey, PlainUrl


class RunpodSettings(SettingsGroup):
    """The RunPod backend: its account, its endpoints, and how they are deployed."""

    runpod_api_key: HeaderKey = Field(SecretStr(""), description="RunPod: API key.")
    runpod_endpoint_id: str = Field(
        "", description="RunPod: ID of the serverless endpoint; `escriba deploy runpod` prints it."
    )
    runpod_gpu: str = Field(
        "l4", description="RunPod: GPU of that endpoint, as the price book names it."
    )
    runpod_endpoints: str = Field(
        "",
        description="RunPod: further endpoints, one for each GPU type: gpu=id,gpu=id.",
    )
    runpod_regions: str = Field(
        "", description="RunPod: comma-separated data centers for its workers. Empty: any."
    )
    runpod_image: str = Field(
        "", description="RunPod: image of the worker, for `escriba deploy runpod`."
    )
    runpod_workers_max: int = Field(
        3, ge=1, description="RunPod: maximum number of workers, for `escriba deploy runpod`."
    )
    runpod_workers_min: int = Field(
        0,
        ge=0,
        description="RunPod: workers kept warm, which are always billed, for `escriba deploy "
        "runpod`.",
    )
    runpod_idle_seconds: int = Field(
        5,
        ge=1,
        le=3_600,
        description="RunPod: seconds that an idle worker waits for a job; they are billed.",
    )
    runpod_jobs_at_once: int = Field(
        200, ge=1, description="RunPod: maximum number of jobs submitted concurrently."
    )
    runpod_batch_jobs: bool = Field(
        default=False,
        description="RunPod: whether jobs leave together as batch jobs (in beta), which may start "
        "hours later. Off, since single jobs start within minutes.",
    )
    runpod_api_url: PlainUrl = Field(
        "https://api.runpod.ai/v2", description="RunPod: API to which jobs are submitted."
    )
    runpod_control_url: PlainUrl = Field(
        "https://api.runpod.io/v2", description="RunPod: API that manages endpoints."
    )
