"""Orders of the whole job engine on a RunPod on loopback: `python -m bench.remote_ways N SECONDS`.

Prints one line of JSON. The engine's process is measured alone; RunPod, its workers and what they
write are another process (bench/remote_workers.py), on the same bucket in a local folder.
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
from gpu_job.contract import JobOptions, SpeechRegion
from pipelines.price_book import open_price_book
from pipelines.settings import Settings, load_settings
from resources.gpu.engine import JobEngine
from resources.gpu.job_folder import FrozenRequest, JobFolder
from resources.gpu.opening import open_engine
from resources.gpu.orders import Order, order_of
from resources.ledger_writer import LedgerWriter
from resources.storage import open_storage
from resources.storage.base import Storage

PLANNED_RTF = 0.2  # of resources/gpu/runpod/backend.py
REGION_MS = 12_000
_THREADS = 32  # of assets/batch.py
DAY_USD, MONTH_USD = 500, 1_000  # limits that hold, and are summed, and are not passed


def settings_of(bucket: Path, url: str, count: int) -> Settings:
    """RunPod alone, with limits on money."""
    return load_settings(
        storage_url=bucket.as_uri(),
        primary_backend="runpod",
        local_fallback=False,
        runpod_api_key="key",
        runpod_endpoint_id="endpoint",
        runpod_api_url=f"{url}/v2",
        runpod_jobs_at_once=count,
        daily_cost_threshold=DAY_USD,
        monthly_cost_threshold=MONTH_USD,
    )


def new_order(storage: Storage, number: int, seconds: float) -> Order:
    """Audio whose quote says that it runs for so many seconds."""
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


async def collected(engine: JobEngine, orders: Sequence[Order]) -> list[float]:
    """The time (Unix) at which the engine had the result of each order."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))

    async def one(order: Order) -> float:
        await engine.run(order)
        return time.time()

    try:
        return await asyncio.gather(*map(one, orders))
    finally:
        await engine.close()


def measure(count: int, seconds: float) -> dict[str, object]:
    """What it took, and what was asked."""
    command = [sys.executable, "-m", "bench.remote_workers", str(seconds)]
    with (
        tempfile.TemporaryDirectory(prefix="escriba-bench-") as folder,
        subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, text=True) as runpod,
    ):
        url = runpod.stdout.readline().strip()
        settings = settings_of(Path(folder) / "bucket", url, count)
        storage = open_storage(settings)
        orders = [new_order(storage, number, seconds) for number in range(count)]
        prices = open_price_book(settings)
        engine = open_engine(settings, storage, LedgerWriter(storage), prices)
        cpu, began = time.process_time(), time.perf_counter()
        times = asyncio.run(collected(engine, orders))
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        runpod.stdin.close()
        asked = json.loads(runpod.stdout.readline())
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
        "runs_per_10s_max": asked["run_10s"],
        "most_in_flight": asked["most_in_flight"],
        "collect_p50_s": round(late[len(late) // 2], 2),
        "collect_p95_s": round(late[int(len(late) * 0.95)], 2),
        "collect_max_s": round(late[-1], 2),
        "worker_late_p95_s": asked["worker_late_p95_s"],
        "fake_cpu_s": asked["fake_cpu_s"],
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), float(sys.argv[2]))))
