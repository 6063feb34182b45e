"""A batch service for bench/remote.py, in a process of its own: `… remote_machines NAME SECONDS`.

It says the settings of an orchestrator that uses it; when its standard input ends it says in one
line of JSON how much was asked. AWS Batch or GCP Batch with as many machines as are wanted; no
worker runs: a machine writes what a worker writes for each job of its manifest, one after another,
and all of them take SECONDS, give or take 30 %.
"""

import asyncio
import json
import random
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from bench.remote_workers import ERROR, most_within, put_claim, put_result
from escriba.backend_names import AWS_GPU
from gpu_job.contract import JobRequest, process_identity
from gpu_job.manifest import requests_at
from tests.fake_aws_batch import FakeAwsBatch
from tests.fake_gcp_batch import FakeGcpBatch

_HANDS = 8  # threads that write to the bucket
# verbs of each service that change something; all others read
CHANGES = {"submitjob", "terminatejobs", "canceljobs", "create", "cancel", "delete"}


class LightMachines:
    """Machines that compute nothing. in_flight: attempts of started machines without a result."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._dice = seconds, random.Random(7)  # noqa: S311  # no secret
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(_HANDS))
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._elsewhere = process_identity.here().model_copy(update={"boot_id": "elsewhere"})
        self.in_flight = self.most_in_flight = self.machines = 0

    def start(self, address: str, ended: Callable[[], None]) -> None:
        """A machine for a manifest; `ended` is called with it once all is written."""
        asyncio.run_coroutine_threadsafe(self._life(address, ended), self._loop)

    async def _life(self, address: str, ended: Callable[[], None]) -> None:
        requests = await asyncio.to_thread(requests_at, address)
        self.machines += 1
        self.in_flight += len(requests)
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        lasts = self._seconds * self._dice.uniform(1 - ERROR, 1 + ERROR)
        for request in requests:
            await self._job(request, lasts / len(requests))
            self.in_flight -= 1
        ended()

    async def _job(self, request: JobRequest, seconds: float) -> None:
        began, where = datetime.now(UTC), self._elsewhere
        await asyncio.to_thread(put_claim, request, began, where, "running", 0)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(put_result, request, began, where)


class LightAws(FakeAwsBatch):
    """AWS Batch whose jobs run on light machines."""

    def __init__(self, machines: LightMachines) -> None:
        super().__init__(None)
        self._light = machines

    def _start_what_can_start(self) -> None:
        for job in self.jobs.values():
            if job.status == "RUNNABLE":
                job.status = "RUNNING"
                address = job.overrides["command"][-1]
                self._light.start(address, lambda job=job: setattr(job, "status", "SUCCEEDED"))


class LightGcp(FakeGcpBatch):
    """GCP Batch whose jobs run on light machines."""

    def __init__(self, machines: LightMachines) -> None:
        super().__init__()
        self._light = machines

    def _start_what_can_start(self) -> None:
        for job in self.jobs.values():
            if job.state == "QUEUED":
                job.counts = {"RUNNING": "1"}
                job.to("RUNNING")
                self._light.start(job.address, lambda job=job: job.to("SUCCEEDED"))


def main() -> None:
    machines = LightMachines(float(sys.argv[2]))
    service = (LightAws if sys.argv[1] == AWS_GPU else LightGcp)(machines)
    with service:
        print(json.dumps(service.settings), flush=True)
        sys.stdin.read()
        changes = [at for verb, at in service.requests if verb in CHANGES]
        reads = [at for verb, at in service.requests if verb not in CHANGES]
        told = {
            "requests": len(service.requests),
            "status_10s": most_within(10, reads),
            "run_10s": most_within(10, changes),
            "most_in_flight": machines.most_in_flight,
            "machines": machines.machines,
            "fake_cpu_s": round(time.process_time(), 1),
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
