"""A thousand jobs that wait in one process: its memory, its CPU, and how fast they are cancelled.

`python -m bench.waiting [--quick] [--json]`. The backend takes a minute for each job and any
number at once; its files are tiny. The second row interrupts the run in the middle of the wait,
as Dagster does when a user terminates it in the UI: its peak is that of the wait. That of the
first row has the end in it, when a thousand jobs are done in the same second: transcripts, events
and the ledger, with the libraries that write it.
"""

from bench import report
from bench.apart import measured

BAR_MB = 250


def main() -> None:
    chosen = report.options(__doc__)
    count, seconds, middle = (300, 20, 30) if chosen.quick else (1_000, 60, 90)
    waited = measured("waiting_ways", count, seconds)
    stopped = measured("waiting_ways", count, 3_600, middle)
    rows = [
        (
            name,
            f"{figures['peak_rss_mb']:.0f}",
            f"{figures['cpu_s']:.1f}",
            f"{figures['wall_s']:.0f}",
            f"{figures['done']:.0f}",
            "" if figures["cancel_s"] is None else f"{figures['cancel_s']:.1f}",
        )
        for name, figures in (("to the end", waited), ("cancelled", stopped))
    ]
    figures = {
        "peak_rss_mb": round(stopped["peak_rss_mb"], 1),
        "bar_mb": BAR_MB,
        "peak_rss_mb_to_the_end": round(waited["peak_rss_mb"], 1),
        "jobs": count,
        "cancel_s": round(stopped["cancel_s"], 2),
        "cancelled": stopped["cancelled"],
        "cpu_s_per_job": round(waited["cpu_s"] / count, 4),
    }
    columns = ("1,000 jobs", "peak MB", "CPU s", "wall s", "done", "s to cancel")
    report.show("Waiting", columns, rows, figures, as_json=chosen.json)


if __name__ == "__main__":
    main()
