"""A story for each alert: its series, when it is quiet, when it fires, and when it is over.

Values are in promtool's notation: `0+5x10` is 0, 5, … 50, a minute apart.
"""

from dataclasses import dataclass, field

DAY = 86_400


@dataclass(frozen=True)
class AlertCase:
    """quiet, fires, over: minutes. summary: what it says then. labels: besides severity."""

    alert: str
    series: dict[str, str]
    quiet: int
    fires: int
    over: int
    summary: str
    labels: dict[str, str] = field(default_factory=dict)


def expiry(kind, name, in_seconds):
    """It ends so long after minute 0; at minute 30 somebody renews it."""
    series = f'escriba_expiry_timestamp_seconds{{kind="{kind}",name="{name}"}}'
    return {series: f"{in_seconds}+0x30 {900 * DAY}+0x30"}


def jobs(status):
    return f'transcription_jobs_total{{backend="runpod",status="{status}"}}'


def budget(what, usd, scope="all", period="day"):
    return {f'escriba_budget_{what}_usd{{scope="{scope}",period="{period}"}}': usd}


def latency(le):
    return f'transcription_job_duration_seconds_bucket{{backend="runpod",le="{le}"}}'


RUNPOD, ALL_DAY = {"backend": "runpod"}, {"scope": "all", "period": "day"}

CASES = [
    AlertCase(
        "HighFailureRate",
        {jobs("done"): "0+8x200", jobs("failed"): "0+0x30 2+2x30 62+0x140"},
        quiet=30,
        fires=55,
        over=120,
        summary="20% of all attempts fail",
    ),
    AlertCase(
        "HighLatency",
        {
            latency("300.0"): "0+10x40 400+0x60 410+10x200",
            latency("600.0"): "0+10x300",
            latency("+Inf"): "0+10x300",
        },
        quiet=30,
        fires=85,
        over=180,
        summary="95 % of the jobs take up to 9m 45s",
    ),
    AlertCase(
        "LargeQueue",
        {"transcription_queue_size": "100+0x10 101+0x20 3+0x50"},
        quiet=10,
        fires=25,
        over=40,
        summary="101 recordings wait",
    ),
    AlertCase(
        "NoActiveWorkers",
        {
            'transcription_active_workers{backend="runpod"}': "1+0x10 0+0x20 2+0x50",
            "transcription_queue_size": "7+0x80",
        },
        quiet=14,
        fires=17,
        over=40,
        summary="Recordings wait, and no worker is processing anything",
    ),
    AlertCase(
        "NothingProcessed",
        {"transcription_queue_size": "7+0x300", jobs("done"): "0+1x60 60+0x200 261+1x60"},
        quiet=180,
        fires=230,
        over=270,
        summary="7 recordings wait, and nothing was finished for two hours",
    ),
    AlertCase(
        "CircuitOpen",
        {'escriba_circuit_open_seconds{backend="runpod"}': "0+60x20 0+0x20"},
        quiet=10,
        fires=12,
        over=25,
        labels=RUNPOD,
        summary="runpod has been cut off for 12m 0s",
    ),
    AlertCase(
        "HighCost",
        {'transcription_cost_usd_total{backend="runpod"}': "0+0x60 0+0.2x120 24+0x200"},
        quiet=90,
        fires=160,
        over=300,
        summary="Transcription costs 12.00 USD per hour",
    ),
    AlertCase(
        "DailyCost",
        budget("spent", "49.9+0x10 50.5+0x10 0+0x10") | budget("limit", "50+0x40"),
        quiet=10,
        fires=15,
        over=25,
        labels=ALL_DAY,
        summary="50.50 USD are spent today: DAILY_COST_THRESHOLD is reached",
    ),
    AlertCase(
        "MonthlyCost",
        budget("spent", "999+0x10 1001+0x10 0+0x10", period="month")
        | budget("limit", "1000+0x40", period="month"),
        quiet=10,
        fires=15,
        over=25,
        labels={"scope": "all", "period": "month"},
        summary="1001.00 USD are spent this month: MONTHLY_COST_THRESHOLD is reached",
    ),
    AlertCase(
        "TenantCost",
        budget("spent", "1+0x10 5+0x10 0+0x10", "acme") | budget("limit", "5+0x40", "acme"),
        quiet=10,
        fires=15,
        over=25,
        labels={"scope": "acme", "period": "day"},
        summary="acme has spent its budget of the day",
    ),
    AlertCase(
        "BudgetBurn",
        budget("spent", "30+0x10 40+0x20 0+0x10")
        | budget("reserved", "10+0x10 5+0x20 0+0x10")
        | budget("limit", "50+0x60"),
        quiet=10,
        fires=20,
        over=35,
        labels=ALL_DAY,
        summary="90% of the day's budget of all is used or reserved",
    ),
    AlertCase(
        "BillUnexplained",
        {'escriba_bill_unexplained_ratio{backend="runpod"}': "0.05+0x10 -0.06+0x80 0.01+0x20"},
        quiet=69,
        fires=80,
        over=100,
        labels=RUNPOD,
        summary="6% of runpod's bill is explained by no job",
    ),
    AlertCase(
        "DiskFull",
        {'escriba_disk_free_ratio{place="home"}': "0.10+0x10 0.04+0x20 0.5+0x20"},
        quiet=10,
        fires=20,
        over=40,
        labels={"place": "home"},
        summary="The disk of home has 4% left",
    ),
    AlertCase(
        "BucketFailing",
        {"escriba_bucket_failures_total": "0+0x20 1+1x19 20+0x60"},
        quiet=20,
        fires=35,
        over=70,
        summary="The bucket could not be read 15 times in 15 minutes",
    ),
    AlertCase(
        "EndsSoon",
        expiry("credential", "RUNPOD_API_KEY", 14 * DAY + 600),
        quiet=10,
        fires=20,
        over=40,
        labels={"kind": "credential", "name": "RUNPOD_API_KEY"},
        summary="The credential RUNPOD_API_KEY ends in 13d 23h 50m 0s",
    ),
    AlertCase(
        "ModelEndsSoon",
        expiry("model", "whisper-1", 60 * DAY + 600),
        quiet=10,
        fires=20,
        over=40,
        labels={"kind": "model", "name": "whisper-1"},
        summary="The API ends whisper-1 in 59d 23h 50m 0s",
    ),
    AlertCase(
        "BackupMissing",
        {"escriba_backup_last_success_timestamp_seconds": "1+0x1585 95000+0x60"},
        quiet=1560,
        fires=1580,
        over=1600,
        summary="There has been no backup for more than 26 hours",
    ),
    AlertCase(
        "NoBackupYet",
        {"escriba_backup_last_success_timestamp_seconds": "0+0x1600 95000+0x60"},
        quiet=1555,
        fires=1565,
        over=1610,
        summary="No backup was ever made",
    ),
    AlertCase(
        "MetricsMissing",
        {'escriba_source_up{source="ledger"}': "1+0x10 0+0x30 1+0x30"},
        quiet=20,
        fires=30,
        over=45,
        labels={"source": "ledger"},
        summary="Metrics are missing, so other alerts may not fire: ledger",
    ),
]
