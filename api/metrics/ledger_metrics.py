"""The metrics of ended attempts, from the totals of the ledger."""

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from escriba.billing.attempts import Status
from escriba.metrics.attempt_totals import AttemptTotals, Work
from escriba.metrics.histogram_totals import (
    LATENCY_BUCKETS,
    RTF_BUCKETS,
    START_BUCKETS,
    HistogramTotals,
)


def ledger_metrics(totals: AttemptTotals, backends: Collection[str] = ()) -> Iterator[Metric]:
    """All of docs/metrics.md that the ledger is the source of.

    backends: those set up. They begin at 0, since Prometheus takes the first value of a series for
    no increase.
    """
    totals = _from_zero(totals, backends)
    jobs = CounterMetricFamily(
        "transcription_jobs", "Ended attempts.", labels=["backend", "status"]
    )
    for backend, statuses in totals.jobs.items():
        for status in get_args(Status):
            jobs.add_metric([backend, status], statuses.get(status, 0))
    yield jobs
    yield _counter(
        "transcription_jobs_failed",
        "Attempts that failed, were lost or never started.",
        "error_type",
        totals.failed,
    )
    yield from _work("transcription_cost_usd", "escriba_audio_seconds", "backend", totals.work)
    yield _counter(
        "escriba_wasted_usd",
        "Cost of attempts that ended without a result, in USD.",
        "backend",
        totals.wasted_usd,
    )
    yield from _work(
        "escriba_tenant_cost_usd", "escriba_tenant_audio_seconds", "tenant", totals.tenants
    )
    yield _usd_per_audio_hour(totals)
    yield from _times(totals)


def _from_zero(totals: AttemptTotals, backends: Collection[str]) -> AttemptTotals:
    """The same with nothing counted yet for the other backends."""

    def histograms(
        of: Mapping[str, HistogramTotals], bounds: tuple[float, ...]
    ) -> dict[str, HistogramTotals]:
        return {one: HistogramTotals(bounds=bounds) for one in backends} | dict(of)

    return totals.model_copy(
        update={
            "jobs": {one: dict[str, int]() for one in backends} | totals.jobs,
            "work": {one: Work() for one in backends} | totals.work,
            "wasted_usd": dict.fromkeys(backends, Decimal(0)) | totals.wasted_usd,
            "latency": histograms(totals.latency, LATENCY_BUCKETS),
            "start": histograms(totals.start, START_BUCKETS),
            "rtf": histograms(totals.rtf, RTF_BUCKETS),
        }
    )


def _usd_per_audio_hour(totals: AttemptTotals) -> Metric:
    """What an hour of audio cost in the last 30 days."""
    found = GaugeMetricFamily(
        "transcription_cost_per_audio_hour",
        "Cost of all attempts per hour of transcribed audio in the last 30 days, in USD.",
        labels=["backend"],
    )
    for backend, usd in totals.recent_usd_per_audio_hour().items():
        found.add_metric([backend], usd)
    return found


def _times(totals: AttemptTotals) -> Iterator[Metric]:
    yield _histogram(
        "transcription_job_duration_seconds",
        "Latency of a done attempt, from its place in the queue to its end.",
        totals.latency,
    )
    yield _histogram(
        "transcription_rtf",
        "Run time of a done attempt, divided by the length of its audio.",
        totals.rtf,
    )
    yield _histogram(
        "escriba_job_start_seconds",
        "From the submission of an attempt to its start on a worker.",
        totals.start,
    )


def _work(cost: str, audio: str, label: str, of: Mapping[str, Work]) -> Iterator[Metric]:
    costs = {name: work.cost_usd for name, work in of.items()}
    yield _counter(cost, "Cost of ended attempts at their recorded prices, in USD.", label, costs)
    seconds = {name: work.audio_seconds for name, work in of.items()}
    yield _counter(audio, "Audio of done attempts, in seconds.", label, seconds)


def _counter(
    name: str, meaning: str, label: str, values: Mapping[str, Decimal | float | int]
) -> Metric:
    found = CounterMetricFamily(name, meaning, labels=[label])
    for of, value in values.items():
        found.add_metric([of], float(value))
    return found


def _histogram(name: str, meaning: str, of: Mapping[str, HistogramTotals]) -> Metric:
    found = HistogramMetricFamily(name, meaning, labels=["backend"])
    for backend, totals in of.items():
        found.add_metric([backend], list(totals.cumulative()), totals.sum)
    return found
