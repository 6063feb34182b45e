"""What SubmitJob is given for a manifest."""

import json
import re
from typing import Any

from escriba.errors import BackendUnavailableError
from resources.gpu.batch_machines.provider import MachineJob

OVERRIDES_CHARACTERS = 8_192  # the most that ECS takes for a task
LEAST_TIMEOUT_SECONDS = 60  # as SubmitJob requires
MODELS_SECONDS = 120  # until the worker has loaded its models, which counts as run time
ATTEMPTS = 3  # machines for a job, if EC2 takes them away
# anything but the loss of the machine ends the job: the orchestrator decides what goes on where
_RETRY = {
    "attempts": ATTEMPTS,
    "evaluateOnExit": [
        {"onStatusReason": "Host EC2*", "action": "RETRY"},
        {"onReason": "*", "action": "EXIT"},
        {"onStatusReason": "*", "action": "EXIT"},
    ],
}
JOB_TAG = "escriba-job"  # as Google's label `escriba`
_NOT_IN_TAGS = re.compile(r"[^\w\s+\-=._:/@]")
_TAG_CHARACTERS = 256


def submit_request(job: MachineJob, queue: str, definition: str) -> dict[str, Any]:
    """The parameters of SubmitJob.

    Raises:
        BackendUnavailableError: the manifest's address is longer than ECS takes.
    """
    overrides = {
        "command": ["python", "-m", "gpu_job", "--manifest", job.manifest_url],
        "environment": [{"name": "SPOT_NOTICES", "value": "aws"}],
    }
    length = len(json.dumps(overrides))
    if length > OVERRIDES_CHARACTERS:
        raise BackendUnavailableError(
            f"The overrides of the job {job.name} have {length:,} characters, and AWS Batch takes "
            f"{OVERRIDES_CHARACTERS:,}. Use credentials with a shorter session token: the "
            "manifest's address contains it.",
            lasting=True,
        )
    seconds = max(job.run_limit_seconds + MODELS_SECONDS, LEAST_TIMEOUT_SECONDS)
    return {
        "jobName": job.name,
        "jobQueue": queue,
        "jobDefinition": definition,
        "containerOverrides": overrides,
        "retryStrategy": _RETRY,
        "timeout": {"attemptDurationSeconds": seconds},
        "tags": _tags(job.labels | {"application": "escriba", JOB_TAG: job.name}),
        "propagateTags": True,
    }


def _tags(labels: dict[str, str]) -> dict[str, str]:
    """Tags for the bill, with the characters that AWS allows."""
    return {key: _NOT_IN_TAGS.sub("-", value)[:_TAG_CHARACTERS] for key, value in labels.items()}
