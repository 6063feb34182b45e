"""The definition of a job: one task with one container on one machine, in one region."""

import re
from typing import Any

from resources.gpu.batch_machines.provider import MachineJob

from .batch_options import BatchOptions

MOST_RETRIES = 3
# preempted (50001), no contact to the machine (50002), and the worker's own end after a notice (4).
# Any other end fails the task: the engine decides about it, not Batch.
RETRIED_EXIT_CODES = (4, 50001, 50002)
# Batch counts the download of the image as a part of the run; 12 GB take about 5 minutes
START_SECONDS = 900
_NO_LABEL = re.compile(r"[^a-z0-9_-]")
_LABEL_LENGTH = 63


def job_definition(options: BatchOptions, job: MachineJob, region: str) -> dict[str, Any]:
    """The body of a create request. It contains the manifest's address, which is a secret.

    `allowedLocations` must lie in the job's own region since 2026-07-31.
    """
    labels = bill_labels(job)
    return {
        "taskGroups": [{"taskCount": "1", "taskSpec": _task(options, job)}],
        "allocationPolicy": {
            "location": {"allowedLocations": [f"regions/{region}"]},
            "instances": [_instance(options)],
            "labels": labels,
            **_account(options),
            **_network(options, region),
        },
        "labels": labels,
        "logsPolicy": {"destination": "CLOUD_LOGGING"},
    }


def bill_labels(job: MachineJob) -> dict[str, str]:
    """Labels of the machine and its disk, by which lines of the bill are joined to attempts.

    Google allows a-z, 0-9, '_' and '-', at most 63 of them.
    """
    labels = {"escriba": job.name, **job.labels}
    return {_label(name): _label(value) for name, value in labels.items()}


def _label(text: str) -> str:
    return _NO_LABEL.sub("-", text.lower())[:_LABEL_LENGTH]


def _task(options: BatchOptions, job: MachineJob) -> dict[str, Any]:
    commands = ["python", "-m", "gpu_job", "--manifest", job.manifest_url]
    notices = "gcp" if options.provisioning == "spot" else "none"
    return {
        "runnables": [{"container": {"imageUri": options.image, "commands": commands}}],
        "environment": {"variables": {"SPOT_NOTICES": notices}},
        "maxRunDuration": f"{job.run_limit_seconds + START_SECONDS}s",
        "maxRetryCount": MOST_RETRIES,
        "lifecyclePolicies": [
            {
                "action": "RETRY_TASK",
                "actionCondition": {"exitCodes": list(RETRIED_EXIT_CODES)},
            }
        ],
    }


def _instance(options: BatchOptions) -> dict[str, Any]:
    """Google's container image mounts the driver at /usr/local/nvidia in the container."""
    policy: dict[str, Any] = {
        "machineType": options.machine.type,
        "provisioningModel": options.provisioning.upper(),
        "bootDisk": {
            "image": "batch-cos",
            "type": "pd-balanced",
            "sizeGb": str(options.disk_gb),
        },
    }
    if options.machine.gpu:
        policy["accelerators"] = [{"type": options.machine.gpu, "count": "1"}]
    return {"installGpuDrivers": True, "blockProjectSshKeys": True, "policy": policy}


def _account(options: BatchOptions) -> dict[str, Any]:
    if not options.service_account:
        return {}
    return {"serviceAccount": {"email": options.service_account}}


def _network(options: BatchOptions, region: str) -> dict[str, Any]:
    if not options.network and options.external_address:
        return {}
    network = options.network or "default"
    interface: dict[str, Any] = {
        "network": f"global/networks/{network}",
        "subnetwork": f"regions/{region}/subnetworks/{options.subnetwork or network}",
    }
    if not options.external_address:
        interface["noExternalIpAddress"] = True
    return {"network": {"networkInterfaces": [interface]}}
