"""What DescribeJobs says about a job, as a state of a machine job."""

from collections.abc import Mapping
from typing import Any

from resources.gpu.backend import AttemptReport
from resources.gpu.batch_machines.provider import MachineState, Phase
from resources.http.json_requests import readable

_PHASES: dict[str, Phase] = {
    "SUBMITTED": "waits",
    "PENDING": "waits",
    "RUNNABLE": "waits",
    "STARTING": "runs",
    "RUNNING": "runs",
    "SUCCEEDED": "ended",
    "FAILED": "ended",
}
_DONE = "COMPLETED"
_STOPPED = "CANCELLED"  # the status of jobs that somebody stopped
_NOT_THE_WORKERS_FAULT = "cancelled"  # the worker's code for a machine that was taken away
_TAKEN_AWAY = "Host EC2"
_STOPPED_EXIT = 4  # of the worker, after an interruption notice


def state_of(job: Mapping[str, Any]) -> MachineState:
    """The state of a job; a status that this version does not know is `unknown`."""
    status, phase = str(job.get("status") or ""), phase_of(job)
    if phase != "ended":
        return MachineState(phase)
    if status == "SUCCEEDED":
        return MachineState(phase, AttemptReport(_DONE))
    if job.get("isCancelled") or job.get("isTerminated"):
        status = _STOPPED
    excused = status == _STOPPED or _was_taken_away(job)
    code = _NOT_THE_WORKERS_FAULT if excused else ""
    return MachineState(phase, AttemptReport(status, why(job), code))


def phase_of(job: Mapping[str, Any]) -> Phase:
    """Whether it waits, runs or has ended."""
    return _PHASES.get(str(job.get("status") or ""), "unknown")


def _was_taken_away(job: Mapping[str, Any]) -> bool:
    """Whether EC2 took the machine: jobs that had not started say nothing against the worker."""
    exit_code = (job.get("container") or {}).get("exitCode")
    return str(job.get("statusReason") or "").startswith(_TAKEN_AWAY) or exit_code == _STOPPED_EXIT


def why(job: Mapping[str, Any]) -> str:
    """Why a job failed, without URLs: its reason, its exit status, and where its log is."""
    container = job.get("container") or {}
    reasons = [str(job.get("statusReason") or ""), str(container.get("reason") or "")]
    if container.get("exitCode") is not None:
        reasons.append(f"exit status {container['exitCode']}")
    if container.get("logStreamName"):
        reasons.append(f"log stream {container['logStreamName']}")
    return readable("; ".join(filter(None, dict.fromkeys(reasons))))
