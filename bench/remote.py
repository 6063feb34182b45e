"""Jobs that wait on RunPod: memory, CPU and requests, and how soon a transcript is collected.

`python -m bench.remote [--quick] [--json]`. The whole job engine with its limits on money, its
ledger and a bucket in a folder; RunPod and its workers are another process on loopback. Each job
runs there for what its quote says, give or take 30 %. What is measured is the engine's process
alone, from the orders to the last result; collected is a job when the engine has its result, and
that counts from when the worker has written it.
"""

from bench import report
from bench.apart import measured

BARS = {
    "cpu_s_per_job": 0.05,
    "peak_rss_mb": 300,
    "requests_per_10s_max": 1_000,
    "collect_p95_s": 15,
}


def row(found: dict[str, float]) -> tuple[str, ...]:
    """One size, as it is read."""
    return (
        f"{found['jobs']:,} jobs of {found['job_seconds']:.0f} s",
        f"{found['most_in_flight']:,}",
        f"{found['peak_rss_mb']:.0f}",
        f"{1000 * found['cpu_s_per_job']:.1f}",
        f"{found['requests_per_job']:.1f}",
        f"{found['requests_per_10s_max']:.0f}",
        f"{found['collect_p50_s']:.1f}",
        f"{found['collect_p95_s']:.1f}",
    )


def main() -> None:
    chosen = report.options(__doc__)
    sizes = [(300, 50)] if chosen.quick else [(2_000, 60), (2_000, 300)]
    found = [measured("remote_ways", count, seconds, quiet=False) for count, seconds in sizes]
    # of several sizes the worst
    figures = {name: max(one[name] for one in found) for name in BARS}
    bars = {f"{name}_bar": bar for name, bar in BARS.items()}
    columns = ("orders", "most in flight", "peak MB", "CPU ms a job", "requests a job")
    columns += ("most looks in 10 s", "s to collect, p50", "p95")
    sized = {f"of_{one['job_seconds']:.0f}_s": one for one in found}
    told = figures | bars | sized
    report.show(
        "Waiting on RunPod", columns, [row(one) for one in found], told, as_json=chosen.json
    )


if __name__ == "__main__":
    main()
