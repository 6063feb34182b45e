"""Whether the house is well: the first and the last row of the dashboard of the work."""

from typing import Final

from deploy.dashboards import panels as p
from deploy.dashboards.success import OF_BACKEND, success

_PLAIN: Final[p.Steps] = [(None, p.GREEN)]
_SOON: Final[p.Steps] = [(None, p.RED), (14, p.YELLOW), (60, p.GREEN)]


def at_a_glance() -> list[p.Made]:
    """What is the matter now, in figures, and since when."""
    figures = (_health(), _firing(), _success(), _waiting(), _at_work(), _audio())
    return [*(one.span(p.SIXTH) for one in figures), _parts()]


def house() -> list[p.Made]:
    """What the work stands on: disks, credentials, Dagster, backups, the bucket."""
    large = (_disks(), _ends(), _dagster())
    small = (_backup(), _engines(), _bucket())
    return [*(one.span(p.THIRD) for one in large), *(one.span(p.THIRD) for one in small)]


def _health() -> p.Stat:
    # what is missing since the exporter is down leaves `up`, which is 0
    parts = 'up{job="escriba"} or escriba_source_up or (escriba_circuit_open_seconds == bool 0)'
    about = "Whether the exporter answers, all its sources can be read, and no backend is cut off."
    panel = p.number("Health", about, p.COUNT, _PLAIN, p.now(f"min({parts})"))
    return panel.mappings([p.in_order("well", "look below")]).no_value("no metrics")


def _firing() -> p.Stat:
    about = "Alerts of deploy/prometheus/alerts.yml that fire; the runbook has a section for each."
    firing = p.now('count(ALERTS{alertstate="firing"}) or vector(0)')
    return p.number("Firing alerts", about, p.COUNT, [(None, p.GREEN), (1, p.RED)], firing)


def _success() -> p.Stat:
    about = "Part of the ended attempts that succeeded, in the time range; without stopped ones."
    steps = [(None, p.RED), (0.9, p.YELLOW), (0.98, p.GREEN)]
    panel = p.number("Success rate", about, p.PART, steps, p.now(success("$__range")))
    return panel.no_value("no work")


def _waiting() -> p.Stat:
    about = "Recordings that wait for a run, a backend or a worker."
    steps = [(None, p.GREEN), (50, p.YELLOW), (100, p.RED)]
    return p.number("Waiting", about, p.COUNT, steps, p.now("sum(transcription_queue_size)"))


def _at_work() -> p.Stat:
    about = "Attempts that a worker is processing."
    return p.number("At work", about, p.COUNT, _PLAIN, p.now("sum(transcription_active_workers)"))


def _audio() -> p.Stat:
    audio = f"sum(increase(escriba_audio_seconds_total{{{OF_BACKEND}}}[$__range]))"
    about = "Audio that was transcribed in the time range."
    return p.number("Audio done", about, p.SECONDS, _PLAIN, p.now(audio))


def _parts() -> p.Made:
    in_use = "min by (backend) (escriba_circuit_open_seconds == bool 0)"
    return p.states(
        "Health of each part",
        "Sources that the exporter can read, and backends that are not cut off after failures.",
        p.query("min by (source) (escriba_source_up)", "{{source}}"),
        p.query(in_use, "{{backend}}"),
    ).span(2 * p.HALF)


def _disks() -> p.BarGauge:
    about = "Free part of the disks that are written to. DiskFull fires below 10 %."
    free = p.now("min by (place) (escriba_disk_free_ratio)", "{{place}}")
    steps = [(None, p.RED), (0.1, p.YELLOW), (0.2, p.GREEN)]
    return p.shares("Free disk", about, p.PART, steps, free).max(1)


def _ends() -> p.BarGauge:
    about = "Certificates, credentials and API models. EndsSoon fires 14 days before."
    days = "min by (kind, name) ((escriba_expiry_timestamp_seconds - time()) / 86400)"
    of = p.now(f"sort({days})", "{{kind}} {{name}}")
    return p.shares("Days until something ends", about, p.DAYS, _SOON, of)


def _dagster() -> p.Lines:
    runs = p.query("sum by (status) (escriba_dagster_runs)", "{{status}}")
    about = "Runs that are queued, starting or started."
    return p.lines("Dagster runs", about, p.COUNT, runs)


def _backup() -> p.Stat:
    age = p.now("time() - (max(escriba_backup_last_success_timestamp_seconds) > 0)")
    steps = [(None, p.GREEN), (86_400, p.YELLOW), (93_600, p.RED)]
    about = "BackupMissing fires after 26 hours."
    panel = p.number("Age of the newest backup", about, p.SECONDS, steps, age)
    return panel.no_value("never made")


def _engines() -> p.Stat:
    about = "Processes that run jobs and have reported in the last 3 minutes."
    return p.number("Engines", about, p.COUNT, _PLAIN, p.now("sum(escriba_engines)"))


def _bucket() -> p.Stat:
    failures = p.now("sum(increase(escriba_bucket_failures_total[$__range]))")
    steps = [(None, p.GREEN), (1, p.YELLOW), (4, p.RED)]
    about = "Readings that failed in the time range."
    return p.number("Failures of the bucket", about, p.COUNT, steps, failures)
