"""Whether the house is well, and how its work goes: what whoever is on call looks at first."""

from typing import Any, Final

from deploy.dashboards import panels as p
from deploy.dashboards.health import at_a_glance, house
from deploy.dashboards.layout import dashboard
from deploy.dashboards.per_audio_hour import per_audio_hour
from deploy.dashboards.success import OF_BACKEND, success

RATE: Final = "$__rate_interval"
# attempts end rarely: in less than five minutes there would be nothing to see but gaps
EVERY: Final = "5m"


def work() -> dict[str, Any]:
    """The dashboard as JSON."""
    rows = {
        "Now": at_a_glance(),
        "Work": [_jobs(), _success(), _latency(), _rtf()],
        "Queue and workers": [_queue(), _workers(), _start()],
        "Errors and costs": [_errors(), _cost_per_hour(), per_audio_hour()],
        "House": house(),
    }
    about = "Is it well, what waits, how long does it take, what fails."
    return dashboard("escriba-work", "Escriba: work", about, since="now-24h", rows=rows)


def _quantiles(histogram: str) -> list[p.Query]:
    buckets = f"sum by (le) (rate({histogram}_bucket{{{OF_BACKEND}}}[{RATE}]))"
    parts = {"P50": 0.5, "P95": 0.95, "P99": 0.99}
    return [p.query(f"histogram_quantile({of}, {buckets})", name) for name, of in parts.items()]


def _jobs() -> p.Made:
    ended = f'transcription_jobs_total{{{OF_BACKEND}, status!="none"}}'
    per_minute = p.query(f"sum by (backend) (rate({ended}[{RATE}])) * 60", "{{backend}}")
    about = "Ended attempts per minute, however they ended."
    panel = p.bars("Jobs per minute by backend", about, p.COUNT, per_minute)
    return panel.span(p.HALF).interval(EVERY)


def _success() -> p.Made:
    about = "Part of the ended attempts that succeeded, where any ended; without stopped ones."
    of = p.query(success(RATE, "by (backend)"), "{{backend}}")
    panel = p.lines("Success rate by backend", about, p.PART, of).max(1)
    return panel.span(p.HALF).interval(EVERY)


def _latency() -> p.Made:
    about = "From a job's place in the queue to its end. HighLatency fires at a P95 above 5 min."
    quantiles = _quantiles("transcription_job_duration_seconds")
    panel = p.limited(p.lines("Latency P50, P95 and P99", about, p.SECONDS, *quantiles), 300)
    return panel.span(p.HALF).interval(EVERY)


def _rtf() -> p.Made:
    buckets = f"sum by (le) (increase(transcription_rtf_bucket{{{OF_BACKEND}}}[{RATE}]))"
    about = "Run time divided by the length of the audio: jobs in each bucket. Above 0.5 is slow."
    panel = p.heat("RTF heat map", about, p.query(buckets, "{{le}}"))
    return panel.span(p.HALF).interval(EVERY)


def _queue() -> p.Made:
    waiting = p.query("sum(transcription_queue_size)", "waiting")
    about = "Recordings that wait. LargeQueue fires above 100."
    return p.limited(p.lines("Queue", about, p.COUNT, waiting), 100).span(p.THIRD)


def _workers() -> p.Made:
    active = f"sum by (backend) (transcription_active_workers{{{OF_BACKEND}}})"
    about = "Attempts that a worker is processing, by backend."
    panel = p.lines("Active workers", about, p.COUNT, p.query(active, "{{backend}}"))
    return panel.span(p.THIRD)


def _start() -> p.Made:
    about = "From submission to start on a worker: the provider's queue and the cold start."
    quantiles = _quantiles("escriba_job_start_seconds")
    panel = p.lines("Start P50, P95 and P99", about, p.SECONDS, *quantiles)
    return panel.span(p.THIRD).interval(EVERY)


def _errors() -> p.Made:
    failed = f"sum by (error_type) (increase(transcription_jobs_failed_total[{RATE}]))"
    about = "Attempts that failed, were lost or never started; without the first of a new type."
    panel = p.bars("Errors by type", about, p.COUNT, p.query(failed, "{{error_type}}"))
    return panel.span(p.THIRD).interval(EVERY)


def _cost_per_hour() -> p.Made:
    cost = f"sum by (backend) (increase(transcription_cost_usd_total{{{OF_BACKEND}}}[1h]))"
    about = "Cost of the attempts that ended in the hour before. HighCost fires above 10 USD."
    panel = p.lines("Cost per hour by backend", about, p.USD, p.query(cost, "{{backend}}"))
    return p.limited(panel, 10).span(p.THIRD)
