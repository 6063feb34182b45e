"""Jobs that wait elsewhere: memory, CPU and requests, and how soon a transcript is collected.

`python -m bench.remote [--backend NAME] [--quick] [--json]`. The whole job engine with its limits
on money, its ledger and a bucket in a folder; the provider and its workers are other processes on
loopback. On RunPod each job runs for what its quote says, give or take 30 %; on batch machines
(aws_gpu, gcp_gpu) up to 20 jobs share a machine for that long. With openai, 2,000 orders wait in
the engine and 8 run at once, each in a worker of this machine that asks no API: the requests are
the engine's own. What is measured is the engine's process alone, from the orders to the last
result; collected is a job when the engine has its result, from when the worker has written it.

Published limits, in 10 s: RunPod 2,000 looks; AWS Batch 50 calls a second of each kind
(docs.aws.amazon.com/batch, "service quotas"); GCP Batch 15,000 reads and 6,000 changes a minute
and region (cloud.google.com/batch/quotas); the bar is half of RunPod's, and all of the others'. For
openai it is the same as for AWS, as limits there depend on the account.
"""

import argparse

from bench import report
from bench.apart import measured
from escriba.backend_names import AWS_GPU, GCP_GPU, OPENAI, RUNPOD

BARS = {"cpu_s_per_job": 0.05, "peak_rss_mb": 350}
# reads and changes in 10 s, and seconds until 95 % are collected; the states of batch machines are
# asked for every 5 to 60 s
OF_BACKEND = {
    RUNPOD: {"requests_per_10s_max": 1_000, "changes_per_10s_max": 500, "collect_p95_s": 15},
    AWS_GPU: {"requests_per_10s_max": 500, "changes_per_10s_max": 500, "collect_p95_s": 60},
    GCP_GPU: {"requests_per_10s_max": 2_500, "changes_per_10s_max": 1_000, "collect_p95_s": 60},
    OPENAI: {"requests_per_10s_max": 500, "changes_per_10s_max": 500, "collect_p95_s": 15},
}
API_SECONDS, QUICK_API_SECONDS = 0.3, 0.1  # of a job, of which 8 run at once


def row(found: dict[str, float]) -> tuple[str, ...]:
    """One size, as it is read."""
    return (
        f"{found['jobs']:,} jobs of {found['job_seconds']:.0f} s",
        f"{found['most_in_flight']:,}",
        f"{found['peak_rss_mb']:.0f}",
        f"{1000 * found['cpu_s_per_job']:.1f}",
        f"{found['requests_per_job']:.1f}",
        f"{found['requests_per_10s_max']:.0f}",
        f"{found['changes_per_10s_max']:.0f}",
        f"{found['collect_p50_s']:.1f}",
        f"{found['collect_p95_s']:.1f}",
    )


def sizes_of(backend: str, *, quick: bool) -> list[tuple[int, float]]:
    """Counts of jobs, and for how many seconds each runs."""
    if backend == OPENAI:
        return [(2_000, QUICK_API_SECONDS if quick else API_SECONDS)]
    if backend == RUNPOD:
        return [(300, 50)] if quick else [(2_000, 60), (2_000, 300)]
    return [(2_000, 60)] if quick else [(2_000, 60), (2_000, 300)]


def chosen_options() -> argparse.Namespace:
    parser = report.parser(__doc__)
    parser.add_argument("--backend", choices=OF_BACKEND, default=RUNPOD)
    return parser.parse_args()


def main() -> None:
    chosen = chosen_options()
    sizes = sizes_of(chosen.backend, quick=chosen.quick)
    found = [
        measured("remote_ways", count, seconds, chosen.backend, quiet=False)
        for count, seconds in sizes
    ]
    limits = BARS | OF_BACKEND[chosen.backend]
    # of several sizes the worst
    figures = {name: max(one[name] for one in found) for name in limits}
    bars = {f"{name}_bar": bar for name, bar in limits.items()}
    columns = ("orders", "most in flight", "peak MB", "CPU ms a job", "requests a job")
    columns += ("most looks in 10 s", "most changes", "s to collect, p50", "p95")
    sized = {f"of_{one['job_seconds']:.0f}_s": one for one in found}
    told = figures | bars | sized
    title = f"Waiting on {chosen.backend}"
    report.show(title, columns, [row(one) for one in found], told, as_json=chosen.json)


if __name__ == "__main__":
    main()
