"""Orders of the whole job engine on loopback: `python -m bench.remote_ways N SECONDS BACKEND`.

Prints one line of JSON. The engine's process is measured alone; the provider, its workers and what
they write are another process (bench/remote_workers.py, remote_machines.py, remote_api.py), on the
same bucket in a local folder.
"""

import asyncio
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from bench.orchestration_ways import ROOT
from escriba.settings import Settings, load_settings
from gpu_job.contract import JobOptions, SpeechRegion
from resources.gpu.engine import JobEngine
from resources.gpu.job_folder import FrozenRequest, JobFolder
from resources.gpu.job_orders import JobOrder, order_of
from resources.gpu.open_engine import open_engine
from resources.ledger.writer import LedgerWriter
from resources.price_book import open_price_book
from resources.storage import open_storage
from resources.storage.base import Storage

PLANNED_RTF = 0.2  # of resources/gpu/runpod/backend.py
REGION_MS = 12_000
GATHERED, MACHINES = 20, 200  # jobs of a manifest, and machines at once
LEAST_SECONDS = 20  # of a quote, so that there is speech
SERVICES = {
    "runpod": "remote_workers",
    "aws_gpu": "remote_machines",
    "gcp_gpu": "remote_machines",
    "openai": "remote_api",
}
_THREADS = 32  # of assets/recordings/batch.py
DAY_USD, MONTH_USD = 500, 1_000  # limits that hold, and are summed, and are not passed


def settings_of(bucket: Path, backend: str, provider: dict[str, object], count: int) -> Settings:
    """One backend alone, with limits on money, and room for all attempts at once."""
    return load_settings(
        storage_url=bucket.as_uri(),
        primary_backend=backend,
        local_fallback=False,
        runpod_jobs_at_once=count,
        machine_jobs_at_once=count,
        machines_at_once=MACHINES,
        machine_gather_jobs=GATHERED,
        daily_cost_threshold=DAY_USD,
        monthly_cost_threshold=MONTH_USD,
        **provider,
    )


def new_order(storage: Storage, number: int, seconds: float) -> JobOrder:
    """Audio of a length for which the quote is so many seconds."""
    job = hashlib.sha256(str(number).encode()).hexdigest()
    audio_ms = round(seconds / PLANNED_RTF * 1000)
    request = FrozenRequest(
        job=job,
        content_sha256="c" * 64,
        options=JobOptions(model="large-v3-turbo", diarizer="none"),
        model_revision="large-v3-turbo@1",
        regions=tuple(
            SpeechRegion(start_ms=start, end_ms=start + REGION_MS - 2_000)
            for start in range(0, audio_ms - REGION_MS, REGION_MS)
        ),
        audio_ms=audio_ms,
        recording=f"acme/{number}.mp3",
        created_at=datetime.now(UTC),
    )
    return order_of(
        JobFolder(storage, "acme", job),
        request,
        audio_key=f"work/acme/{number}.mp3/audio.flac",
        audio_sha256="d" * 64,
        audio_channels=1,
        audio_bytes=10_000_000,
        progress=lambda _: None,
    )


async def collected(engine: JobEngine, orders: Sequence[JobOrder]) -> list[float]:
    """The time (Unix) at which the engine had the result of each order."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))

    async def one(order: JobOrder) -> float:
        await engine.run(order)
        return time.time()

    try:
        return await asyncio.gather(*map(one, orders))
    finally:
        await engine.close()


def measure(count: int, seconds: float, backend: str) -> dict[str, object]:
    """What it took, and what was asked."""
    command = [sys.executable, "-m", f"bench.{SERVICES[backend]}", backend, str(seconds)]
    with (
        tempfile.TemporaryDirectory(prefix="escriba-bench-") as folder,
        subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, text=True) as service,
    ):
        provider = json.loads(service.stdout.readline())
        settings = settings_of(Path(folder) / "bucket", backend, provider, count)
        storage = open_storage(settings)
        orders = [
            new_order(storage, number, max(seconds, LEAST_SECONDS)) for number in range(count)
        ]
        prices = open_price_book(settings)
        engine = open_engine(settings, storage, LedgerWriter(storage), prices)
        cpu, began = time.process_time(), time.perf_counter()
        times = asyncio.run(collected(engine, orders))
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        service.stdin.close()
        asked = json.loads(service.stdout.readline())
        late = sorted(
            when - storage.head(order.folder.key("result.json")).modified.timestamp()
            for when, order in zip(times, orders, strict=True)
        )
    return {
        "jobs": count,
        "job_seconds": seconds,
        "wall_s": round(wall, 1),
        "cpu_s_per_job": round(cpu / count, 4),
        "peak_rss_mb": round(peak_mb, 1),
        "requests_per_job": round(asked["requests"] / count, 2),
        "requests_per_10s_max": asked["status_10s"],
        "changes_per_10s_max": asked["run_10s"],
        "most_in_flight": asked["most_in_flight"],
        "collect_p50_s": round(late[len(late) // 2], 2),
        "collect_p95_s": round(late[int(len(late) * 0.95)], 2),
        "collect_max_s": round(late[-1], 2),
        "worker_late_p95_s": asked.get("worker_late_p95_s", 0),
        "machines": asked.get("machines", 0),
        "fake_cpu_s": asked["fake_cpu_s"],
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])))
