"""The metrics of work that is under way: Dagster's queue, and the engines of running batches."""

from collections import Counter
from collections.abc import Collection, Iterator

import dagster as dg
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from escriba.stages import RECORDINGS_JOB
from resources.gpu.engine_reports import EngineReport
from sensors.running import keys_of

_STATUSES = {
    "queued": [dg.DagsterRunStatus.QUEUED],
    "starting": [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING],
    "started": [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING],
}
_WAITING = [*_STATUSES["queued"], *_STATUSES["starting"]]


def dagster_metrics(instance: dg.DagsterInstance) -> Iterator[Metric]:
    """How many runs there are; costs three counts, however many have ended."""
    found = GaugeMetricFamily(
        "escriba_dagster_runs", "Dagster runs that are queued or under way.", labels=["status"]
    )
    for name, statuses in _STATUSES.items():
        found.add_metric([name], instance.get_runs_count(dg.RunsFilter(statuses=statuses)))
    yield found


def queued_recordings(instance: dg.DagsterInstance) -> int:
    """The recordings of the runs that have not begun; one for a run that names none."""
    runs = instance.get_runs(dg.RunsFilter(job_name=RECORDINGS_JOB, statuses=_WAITING))
    return sum(len(keys_of(run.run_config)) or 1 for run in runs)


def engine_metrics(
    reports: Collection[EngineReport], queued: int, backends: Collection[str]
) -> Iterator[Metric]:
    """The queue, the workers and the circuits. backends: those set up, which show as 0 if idle."""
    yield GaugeMetricFamily(
        "transcription_queue_size",
        "Recordings that wait: in queued runs, and in running ones for a backend or a worker.",
        value=queued + sum(report.waiting for report in reports),
    )
    active, cut_off = Counter(dict.fromkeys(backends, 0)), dict.fromkeys(backends, 0.0)
    for report in reports:
        active.update(report.active)
        for backend, seconds in report.circuit_open_seconds.items():
            cut_off[backend] = max(cut_off.get(backend, 0.0), seconds)
    yield _by_backend(
        "transcription_active_workers", "Attempts that a worker is processing.", active
    )
    yield _by_backend(
        "escriba_circuit_open_seconds",
        "How long a backend has been cut off after failures; 0: it is in use.",
        cut_off,
    )
    yield GaugeMetricFamily(
        "escriba_engines", "Processes that run jobs and have reported lately.", value=len(reports)
    )


def _by_backend(name: str, meaning: str, values: Counter[str] | dict[str, float]) -> Metric:
    found = GaugeMetricFamily(name, meaning, labels=["backend"])
    for backend, value in values.items():
        found.add_metric([backend], value)
    return found
