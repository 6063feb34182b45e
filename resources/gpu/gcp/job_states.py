"""What Batch says about a job: its state and the counts of its tasks, never its last exit code.

A task that was preempted, retried and done still shows the event with exit code 50001
(github.com/nextflow-io/nextflow/pull/6926), so codes only explain a job that failed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from resources.gpu.backend import AttemptReport
from resources.gpu.batch_machines.provider import MachineState
from resources.http.json_requests import readable

Lack = Literal["", "capacity", "quota"]
DELETED = "DELETION_IN_PROGRESS"
_WAITS = frozenset({"QUEUED", "SCHEDULED"})
_STOPPED = frozenset({"CANCELLED", DELETED})
_NO_CAPACITY = re.compile(r"RESOURCE_POOL_EXHAUSTED|enough resources|STOCKOUT", re.IGNORECASE)
_NO_QUOTA = re.compile(r"QUOTA_EXCEEDED|quota .*exceeded", re.IGNORECASE)
_EXIT_CODE = re.compile(r"exit code (\d+)")
# of our worker (gpu_job.manifest), and cloud.google.com/batch/docs/troubleshooting
_MEANINGS = {
    "1": "some of its attempts failed",
    "2": "the worker found no models, or its manifest was gone",
    "4": "the worker was stopped",
    "50001": "the machine was preempted",
    "50002": "Batch lost contact to the machine",
    "50003": "the machine was restarted",
    "50004": "the task did not answer",
    "50005": "it ran longer than it may",
    "50006": "the machine was made anew",
}
_TAKEN_AWAY = frozenset({"4", "50001", "50002", "50003", "50006"})


@dataclass(frozen=True, slots=True)
class SeenJob:
    """A job as Batch shows it.

    needs_machine: it waits for its first machine, or for another one after a preemption. lack: of
    what, or what it failed for. is_leaving: it is being deleted.
    """

    state: MachineState
    name: str
    region: str
    needs_machine: bool = False
    lack: Lack = ""
    is_leaving: bool = False


def seen_job(answer: Mapping[str, Any]) -> SeenJob:
    """The content of one job resource; a state that is not known has the phase `unknown`."""
    parts = str(answer.get("name", "")).split("/")
    places = dict(zip(parts[::2], parts[1::2], strict=False))
    status = _object(answer.get("status"))
    state = str(status.get("state", ""))
    waits_again = state == "RUNNING" and task_counts(status).keys() == {"PENDING"}
    return SeenJob(
        state=_state(state, status),
        name=places.get("jobs", ""),
        region=places.get("locations", ""),
        needs_machine=state in _WAITS or waits_again,
        lack=_lack(status),
        is_leaving=state == DELETED,
    )


def _state(state: str, status: Mapping[str, Any]) -> MachineState:
    """A job that Batch retries after a preemption still `runs`: its queue limit is over."""
    is_done = state == "FAILED" and task_counts(status).keys() == {"SUCCEEDED"}
    if state == "SUCCEEDED" or is_done:
        return MachineState("ended", AttemptReport("COMPLETED"))
    if state == "FAILED":
        return MachineState("ended", _failure(status))
    if state in _STOPPED:
        return MachineState("ended", AttemptReport(state, code="cancelled"))
    if state in _WAITS:
        return MachineState("waits")
    return MachineState("runs" if state == "RUNNING" else "unknown")


def task_counts(status: Mapping[str, Any]) -> dict[str, int]:
    """How many tasks are in each state, without zeros. Numbers of 64 bits are text in JSON."""
    found: dict[str, int] = {}
    for group in _object(status.get("taskGroups")).values():
        for state, count in _object(_object(group).get("counts")).items():
            if str(count).isdigit() and int(count):
                found[state] = found.get(state, 0) + int(count)
    return found


def _failure(status: Mapping[str, Any]) -> AttemptReport:
    """The last event with an exit code, or of a failure, without addresses, and what it means.

    A machine that was taken away is no fault of the worker: code `cancelled`.
    """
    texts = _texts(status) or ["Batch gives no reason"]
    coded = [one for one in texts if _EXIT_CODE.search(one)]  # the job's own event may have none
    failed = [one for one in texts if "FAILED" in one]
    text = (coded or failed or texts)[-1]
    found = _EXIT_CODE.search(text)
    exit_code = found[1] if found else ""
    meaning = _MEANINGS.get(exit_code)
    error = readable(f"{meaning}: {text}" if meaning else text)
    return AttemptReport("FAILED", error, "cancelled" if exit_code in _TAKEN_AWAY else "")


def _lack(status: Mapping[str, Any]) -> Lack:
    """What the newest event about resources complains of."""
    for text in reversed(_texts(status)):
        if _NO_QUOTA.search(text):
            return "quota"
        if _NO_CAPACITY.search(text):
            return "capacity"
    return ""


def _texts(status: Mapping[str, Any]) -> list[str]:
    """The descriptions of its events, oldest first."""
    events = status.get("statusEvents")
    found = [_object(event) for event in events] if isinstance(events, list) else []
    found.sort(key=lambda event: str(event.get("eventTime", "")))
    return [text for event in found if isinstance(text := event.get("description"), str) and text]


def _object(found: Any) -> Mapping[str, Any]:  # noqa: ANN401  # of somebody else's JSON
    return found if isinstance(found, dict) else {}
