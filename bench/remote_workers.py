"""RunPod for bench/remote.py, in a process of its own: `… remote_workers runpod SECONDS`.

It says the settings of an orchestrator that uses it; when its standard input ends it says in one
line of JSON how much was asked. Any number of workers, warm ones: each job begins when it is
submitted, runs for SECONDS, give or take 30 %, and its worker writes what a worker writes, through
the addresses of the request.
"""

import asyncio
import json
import random
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from gpu_job import transfer
from gpu_job.contract import (
    JobRequest,
    JobResult,
    Lease,
    Segment,
    Usage,
    Word,
    WorkerPlace,
    process_identity,
)
from gpu_job.lease_ownership import HEARTBEAT_SECONDS
from tests.fake_runpod import FakeRunPod, Job

ERROR = 0.3  # of the quote
_HANDS = 8  # threads that write to the bucket


class WarmWorkers(FakeRunPod):
    """Each job as long as the dice say; `late`: how much later than that it was done."""

    def __init__(self, seconds: float) -> None:
        super().__init__("key", clock=time.time)
        self._seconds, self._dice = seconds, random.Random(7)  # noqa: S311  # no secret
        self._lengths: dict[str, float] = {}
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(_HANDS))
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._elsewhere = process_identity.here().model_copy(update={"boot_id": "elsewhere"})
        self.in_flight = self.most_in_flight = 0
        self.late: list[float] = []

    def run(self, input_: object, policy: dict[str, int] | None = None) -> str:
        """Its worker begins immediately."""
        id_ = super().run(None, policy)
        self._lengths[id_] = self._seconds * self._dice.uniform(1 - ERROR, 1 + ERROR)
        asyncio.run_coroutine_threadsafe(self._life(self.jobs[id_], input_), self._loop)
        return id_

    def look_at_policies(self) -> None:
        """No job is late here, and a look at all of them at each request would cost too much."""

    def view(self, job: Job) -> dict[str, object]:
        """With the progress of this moment."""
        if job.status != "IN_PROGRESS":
            return job.view()
        part = min((self.clock() - job.began) / self._lengths[job.id], 1.0)
        speech = {"audio_seconds_done": round(1000 * part, 1), "audio_seconds": 1000.0}
        return job.view() | {"output": speech}

    async def _life(self, job: Job, input_: object) -> None:
        ends = job.submitted + self._lengths[job.id]
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        request = JobRequest.model_validate(input_)
        del input_
        began = datetime.now(UTC)
        await asyncio.to_thread(put_claim, request, began, self._elsewhere, "running", 0)
        job.status, job.began = "IN_PROGRESS", self.clock()
        while (left := ends - self.clock()) > 0:
            await asyncio.sleep(min(left, HEARTBEAT_SECONDS))
            if left > HEARTBEAT_SECONDS:
                await asyncio.to_thread(put_claim, request, began, self._elsewhere, "running", 1)
        await asyncio.to_thread(put_result, request, began, self._elsewhere)
        job.status, job.output, job.ended = "COMPLETED", {"state": "done"}, self.clock()
        self.late.append(job.ended - ends)
        self.in_flight -= 1


def put_claim(
    request: JobRequest, began: datetime, where: WorkerPlace, state: str, beats: int
) -> None:
    """The lease of a job: created without beats, else overwritten."""
    claim = Lease(nonce=request.nonce, state=state, usage=_usage(began, where))
    addresses = request.addresses
    address = addresses.claim_beat if beats else addresses.claim_create
    transfer.put(address, claim.model_dump_json().encode())


def put_result(request: JobRequest, began: datetime, where: WorkerPlace) -> None:
    """The result first, then the last beat."""
    region = request.regions[0]
    word = Word(start_ms=region.start_ms, end_ms=region.end_ms, text="bom dia", probability=1.0)
    result = JobResult(
        job=request.job,
        attempt=request.attempt,
        nonce=request.nonce,
        language="pt",
        language_probability=1.0,
        model_revision=request.model_revision,
        segments=(Segment(start_ms=word.start_ms, end_ms=word.end_ms, words=(word,)),),
        turns=(),
        usage=_usage(began, where),
    )
    transfer.put(request.addresses.result_create, result.model_dump_json().encode())
    put_claim(request, began, where, "done", 1)


def _usage(began: datetime, where: WorkerPlace) -> Usage:
    return Usage(worker="warm", place=where, started_at=began, ended_at=datetime.now(UTC))


def most_within(seconds: float, times: Sequence[float]) -> int:
    """The largest count of `times` in any window of so many seconds."""
    ordered, first, most = sorted(times), 0, 0
    for last, when in enumerate(ordered):
        while ordered[first] <= when - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def main() -> None:
    with WarmWorkers(float(sys.argv[2])) as runpod:
        own = {"runpod_api_key": "key", "runpod_endpoint_id": "endpoint"}
        print(json.dumps(own | {"runpod_api_url": f"{runpod.url}/v2"}), flush=True)
        sys.stdin.read()
        late = sorted(runpod.late)
        told = {
            "requests": len(runpod.requests),
            "status_10s": most_within(10, [at for verb, at in runpod.requests if verb == "status"]),
            "run_10s": most_within(10, [at for verb, at in runpod.requests if verb == "run"]),
            "most_in_flight": runpod.most_in_flight,
            "worker_late_p95_s": round(late[int(len(late) * 0.95)], 2),
            "fake_cpu_s": round(time.process_time(), 1),
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
