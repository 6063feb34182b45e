"""A job of the fake GCP Batch: what its definition may say, and how Google shows it."""

import re
from dataclasses import dataclass, field
from uuid import UUID

PROJECT = "escriba-test"
ENDED = {"SUCCEEDED", "FAILED", "CANCELLED"}
_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")
# fields by the path of their object, from the resource `Job` of Batch's v1
_FIELDS = {
    "": {"taskGroups", "allocationPolicy", "labels", "logsPolicy"},
    "taskGroups": {"taskCount", "taskSpec"},
    "taskGroups.taskSpec": {
        *("runnables", "environment", "maxRunDuration", "maxRetryCount", "lifecyclePolicies"),
    },
    "taskGroups.taskSpec.runnables": {"container"},
    "taskGroups.taskSpec.runnables.container": {"imageUri", "commands"},
    "taskGroups.taskSpec.environment": {"variables"},
    "taskGroups.taskSpec.lifecyclePolicies": {"action", "actionCondition"},
    "taskGroups.taskSpec.lifecyclePolicies.actionCondition": {"exitCodes"},
    "allocationPolicy": {"location", "instances", "labels", "serviceAccount", "network"},
    "allocationPolicy.location": {"allowedLocations"},
    "allocationPolicy.instances": {"policy", "installGpuDrivers", "blockProjectSshKeys"},
    "allocationPolicy.instances.policy": {
        *("machineType", "provisioningModel", "bootDisk", "accelerators"),
    },
    "allocationPolicy.instances.policy.bootDisk": {"image", "type", "sizeGb"},
    "allocationPolicy.instances.policy.accelerators": {"type", "count"},
    "allocationPolicy.serviceAccount": {"email"},
    "allocationPolicy.network": {"networkInterfaces"},
    "allocationPolicy.network.networkInterfaces": {"network", "subnetwork", "noExternalIpAddress"},
    "logsPolicy": {"destination"},
}
_FREE = {"labels", "allocationPolicy.labels", "taskGroups.taskSpec.environment.variables"}


class RefusedError(Exception):
    """What Google answers with an error."""

    def __init__(self, code, status, message):
        super().__init__(message)
        self.code, self.status, self.message = code, status, message


def check(region, asked, definition):
    """What Batch refuses."""
    invalid(not _ID.fullmatch(asked.get("jobId", "")), "job_id is invalid")
    invalid(not UUID(asked["requestId"]).int, "request_id is invalid")
    _check_fields("", definition)
    allocation = definition["allocationPolicy"]
    for place in allocation["location"]["allowedLocations"]:
        kind, _, name = place.partition("/")
        inside = name == region if kind == "regions" else name.startswith(f"{region}-")
        invalid(not inside, f"allowed_locations {place} is not in the location {region} of the job")
    invalid(len(definition["taskGroups"]) != 1, "only one task group is supported")
    spec = definition["taskGroups"][0]["taskSpec"]
    invalid(len(spec["lifecyclePolicies"]) > 1, "only one lifecycle policy is supported")
    invalid(not 0 <= spec["maxRetryCount"] <= 10, "max_retry_count must be in [0, 10]")
    invalid(not re.fullmatch(r"\d+s", spec["maxRunDuration"]), "max_run_duration is invalid")
    model = allocation["instances"][0]["policy"]["provisioningModel"]
    invalid(model not in {"SPOT", "STANDARD", "FLEX_START"}, "provisioning_model is invalid")
    for labels in (definition["labels"], allocation["labels"]):
        wrong = [text for text in [*labels, *labels.values()] if not _LABEL.fullmatch(text)]
        invalid(wrong, f"labels are invalid: {wrong}")


def _check_fields(path, found):
    if isinstance(found, list):
        for one in found:
            _check_fields(path, one)
    elif isinstance(found, dict) and path not in _FREE:
        for name, value in found.items():
            invalid(name not in _FIELDS[path], f'Unknown name "{name}" at {path!r}')
            _check_fields(f"{path}.{name}".strip("."), value)


def invalid(wrong, message):
    if wrong:
        raise RefusedError(400, "INVALID_ARGUMENT", message)


@dataclass
class Job:
    """hidden: reads that do not know it yet. retries: how often Batch has run its task again."""

    region: str
    id: str
    request_id: str
    definition: dict
    number: int
    state: str = "QUEUED"
    hidden: int = 0
    retries: int = 0
    counts: dict = field(default_factory=lambda: {"PENDING": "1"})
    events: list = field(default_factory=list)
    worker: object = None
    workers: list = field(default_factory=list)
    is_taken: bool = False
    is_timed_out: bool = False

    @property
    def name(self):
        return f"projects/{PROJECT}/locations/{self.region}/jobs/{self.id}"

    @property
    def spec(self):
        return self.definition["taskGroups"][0]["taskSpec"]

    @property
    def address(self):
        """Of its manifest."""
        *command, address = self.spec["runnables"][0]["container"]["commands"]
        assert command == ["python", "-m", "gpu_job", "--manifest"]
        return address

    def tell(self, text, **more):
        """Add an event."""
        time = f"2026-11-30T12:{len(self.events):02}:00Z"
        event = {"type": "STATUS_CHANGED", "description": text, "eventTime": time}
        self.events.append(event | more)

    def to(self, state):
        """Change the state of the job, which is an event."""
        self.tell(f"Job state is set from {self.state} to {state} for job {self.name}.")
        self.state = state

    def view(self):
        groups = {"group0": {"counts": self.counts}}
        status = {"state": self.state, "statusEvents": self.events, "taskGroups": groups}
        created = f"2026-11-30T12:00:00.{self.number:06}Z"
        return self.definition | {"name": self.name, "createTime": created, "status": status}
