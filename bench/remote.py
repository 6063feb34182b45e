"""Jobs that wait on RunPod: memory, CPU and requests, and how soon it is known that one is done.

`python -m bench.remote [--quick] [--json]`. RunPod is a server on loopback in a process of its own;
each job runs there for what its quote says, give or take 30 %, and tells of its progress. What is
measured is the backend alone: submit, poll, report.
"""

import json
import subprocess
import sys

from bench import report
from bench.orchestration_ways import ROOT

BARS = {"cpu_s_per_job": 0.05, "peak_rss_mb": 300, "requests_per_10s_max": 1_000}
COLLECT_BAR_S = 15


def measured(*arguments: object) -> dict[str, float]:
    """From a process of its own, so that its memory is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.remote_ways", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    chosen = report.options(__doc__)
    sizes = [(300, 40)] if chosen.quick else [(2_000, 60), (2_000, 300)]
    rows, figures = [], {}
    for count, seconds in sizes:
        figures = measured(count, seconds)
        rows.append(
            (
                f"{count:,} jobs of {seconds} s",
                f"{figures['peak_rss_mb']:.0f}",
                f"{1000 * figures['cpu_s_per_job']:.1f}",
                f"{figures['requests_per_job']:.1f}",
                f"{figures['requests_per_10s_max']:.0f}",
                f"{figures['collect_p50_s']:.1f}",
                f"{figures['collect_p95_s']:.1f}",
            )
        )
    columns = ("in flight", "peak MB", "CPU ms a job", "requests a job", "most in 10 s")
    columns += ("s to know, p50", "p95")
    bars = {f"{name}_bar": bar for name, bar in BARS.items()} | {"collect_p95_s_bar": COLLECT_BAR_S}
    report.show("Waiting on RunPod", columns, rows, figures | bars, as_json=chosen.json)


if __name__ == "__main__":
    main()
