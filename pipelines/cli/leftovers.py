"""Runs that an earlier `escriba up` had and nobody ended: killed with it, power and all.

Dagster's launcher never asks whether a run's process lives. Unended, such a run would hold its
place in the queue for two days, and its recordings with it.
"""

import json
import socket
from collections.abc import Iterator

import dagster as dg

from pipelines.settings import Settings

from .running import open_instance

_SERVER_TAG = ".dagster/grpc_info"  # of the server that a run's process belongs to
_BEGUN = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def end_leftovers(settings: Settings) -> int:
    """Report each as failed, so that the daemon runs it again; how many there were."""
    with open_instance(settings) as instance:
        left = list(_leftovers(instance))
        for run in left:
            if run.status == dg.DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run, "It was being cancelled when its process ended.")
            else:
                instance.report_run_failed(run, "Its process ended with an earlier `escriba up`.")
    return len(left)


def _leftovers(instance: dg.DagsterInstance) -> Iterator[dg.DagsterRun]:
    for run in instance.get_runs(dg.RunsFilter(statuses=_BEGUN)):
        server = json.loads(run.tags.get(_SERVER_TAG, "{}")).get("socket")
        if server and not _answers(server):
            yield run


def _answers(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(address)
        except OSError:
            return False
        return True
