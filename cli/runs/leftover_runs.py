"""Ends runs that were killed together with an earlier `escriba up`.

Dagster's launcher never checks whether a run's process is alive. Such a run would block its place
in the queue, and its recordings, for two days.
"""

import json
import socket
from collections.abc import Iterator

import dagster as dg

from escriba.settings import Settings

from .run_recordings import open_instance

_SERVER_TAG = ".dagster/grpc_info"  # names the server that started the run's process
_STARTED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def end_leftovers(settings: Settings) -> int:
    """Report each as failed, so that the daemon reruns it; return how many there were."""
    with open_instance(settings) as instance:
        left = list(_leftovers(instance))
        for run in left:
            if run.status == dg.DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run, "Its process ended while it was being canceled.")
            else:
                instance.report_run_failed(run, "Its process ended with an earlier `escriba up`.")
    return len(left)


def _leftovers(instance: dg.DagsterInstance) -> Iterator[dg.DagsterRun]:
    for run in instance.get_runs(dg.RunsFilter(statuses=_STARTED)):
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
