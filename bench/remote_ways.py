"""Jobs that wait on a RunPod on loopback: `python -m bench.remote_ways COUNT SECONDS`.

Prints one line of JSON. With `serve SECONDS` it is that RunPod: it says its address, and how many
requests came when its standard input ends.
"""

import asyncio
import json
import random
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal

from bench.orchestration_ways import ROOT
from gpu_job.contract import Address, JobAddresses, JobLimits, JobOptions, JobRequest, SpeechRegion
from pipelines.billing.quotes import Quote
from pipelines.settings import load_settings
from resources.gpu.runpod.backend import RunPodBackend
from resources.gpu.runpod.endpoints import endpoints_of
from tests.fake_runpod import FakeRunPod

SPEECH_SECONDS = 3_000.0
REGIONS = 300
SIGNED_CHARACTERS = 1_450  # an address with a session token
ERROR = 0.3  # of the quote


class Timed(FakeRunPod):
    """Any number of workers; each job runs as long as its nonce says."""

    def look_at_policies(self) -> None:
        """Nothing to do for all of them: a job is looked at when it is asked for."""

    def view(self, job: object) -> dict[str, object]:
        """As /status has it."""
        ran, seconds = time.time() - job.submitted, float(job.input["nonce"])
        if ran >= seconds:
            ended = {"status": "COMPLETED", "executionTime": round(seconds * 1000)}
            return {"id": job.id, "output": {"state": "done"}} | ended
        done = {"audio_seconds_done": round(SPEECH_SECONDS * ran / seconds, 1)}
        output = done | {"audio_seconds": SPEECH_SECONDS}
        return {"id": job.id, "status": "IN_PROGRESS", "output": output}


def serve() -> None:
    """Until the standard input ends."""
    with Timed("key", clock=time.time) as runpod:
        print(runpod.url, flush=True)
        sys.stdin.read()
        times = sorted(when for verb, when in runpod.requests if verb == "status")
        first, most = 0, 0
        for last, when in enumerate(times):
            while times[first] <= when - 10:
                first += 1
            most = max(most, last - first + 1)
        print(json.dumps({"requests": len(runpod.requests), "most": most}), flush=True)


def new_request(number: int, seconds: float) -> JobRequest:
    """As large as that of an hour, with presigned addresses."""
    address = Address(method="PUT", url="https://bucket.example/" + "x" * SIGNED_CHARACTERS)
    names = ("audio", "result_read", "result_create", "claim_read", "claim_create", "claim_beat")
    return JobRequest(
        job=f"{number:064x}",
        attempt=1,
        nonce=f"{seconds:.3f}",
        options=JobOptions(model="large-v3-turbo"),
        regions=tuple(
            SpeechRegion(start_ms=n * 12_000, end_ms=n * 12_000 + 10_000) for n in range(REGIONS)
        ),
        audio_ms=3_600_000,
        audio_sha256="d" * 64,
        model_revision="large-v3-turbo@1",
        addresses=JobAddresses(**dict.fromkeys(names, address)),
        limits=JobLimits(queue_seconds=21_600, run_seconds=7_200),
    )


async def wait(url: str, count: int, seconds: float) -> list[float]:
    """Seconds from the end of each job to its report."""
    settings = load_settings(
        runpod_api_key="key",
        runpod_endpoint_id="endpoint",
        runpod_api_url=f"{url}/v2",
        runpod_jobs_at_once=count,
    )
    backend = RunPodBackend(settings, endpoints_of(settings)[0])
    dice, late = random.Random(7), []  # noqa: S311  # no secret
    quote = Quote("runpod", "l4", Decimal(0), seconds, seconds, "planned")

    async def attempt(number: int, real_seconds: float) -> None:
        async with backend.room():
            request = new_request(number, real_seconds)
            submission = await backend.submit(request, quote, lambda _: None)
            del request
            ends_at = time.monotonic() + real_seconds
            while await backend.poll(submission, backend.look_seconds) is None:
                pass
            late.append(time.monotonic() - ends_at)

    real = [seconds * dice.uniform(1 - ERROR, 1 + ERROR) for _ in range(count)]
    await asyncio.gather(*(attempt(n, real_seconds) for n, real_seconds in enumerate(real)))
    await backend.close()
    return sorted(late)


def measure(count: int, seconds: float) -> dict[str, object]:
    """What it took, and what was asked."""
    command = [sys.executable, "-m", "bench.remote_ways", "serve"]
    with subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, text=True) as server:
        url = server.stdout.readline().strip()
        cpu, began = time.process_time(), time.perf_counter()
        late = asyncio.run(wait(url, count, seconds))
        wall = time.perf_counter() - began
        cpu = time.process_time() - cpu
        server.stdin.close()
        asked = json.loads(server.stdout.readline())
    return {
        "jobs": count,
        "job_seconds": seconds,
        "wall_s": round(wall, 1),
        "cpu_s_per_job": round(cpu / count, 4),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "requests_per_job": round(asked["requests"] / count, 2),
        "requests_per_10s_max": asked["most"],
        "collect_p50_s": round(late[len(late) // 2], 2),
        "collect_p95_s": round(late[int(len(late) * 0.95)], 2),
        "collect_max_s": round(late[-1], 2),
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
    }


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        print(json.dumps(measure(int(sys.argv[1]), float(sys.argv[2]))))
