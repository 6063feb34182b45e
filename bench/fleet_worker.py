"""A simulated worker: it keeps the protocol in the bucket, and computes by letting time pass."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from gpu_job.contract import JobError, JobRequest, JobResult, Lease, Usage, WorkerPlace

from .fleet_bucket import FleetBucket, key_at

BEAT_SECONDS = 120.0  # the real one beats every 30 s; one that is silent for 300 s is lost
_ELSEWHERE = WorkerPlace(boot_id="a machine", pid_namespace="1", pid=1, started="1")
_NONCES = itertools.count(1)
Outcome = Literal["done", "stopped", "duplicate"]


@dataclass
class FleetWorker:
    """One machine's. began: the wall clock at second 0. slower: by how much each job takes longer.

    computed_seconds: of all jobs. taken: how often each job was computed to its end.
    """

    bucket: FleetBucket
    began: datetime
    rtf: float
    slower: Callable[[str], float]
    taken: dict[str, int]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    computed_seconds: float = 0.0

    async def do(self, request: JobRequest) -> Outcome:
        """One attempt, by rules 3 to 8 of docs/idempotency.md; a stop keeps a partial result."""
        where = request.addresses
        nonce, started = f"worker-{next(_NONCES)}", self._now()
        if self.bucket.read(key_at(where.result_read)) is not None:
            return "duplicate"
        lease = self._lease(nonce, "running", started)
        if not self.bucket.create(key_at(where.claim_create), lease):
            return "duplicate"
        needs = request.audio_ms / 1000 * self.rtf * self.slower(request.job)
        done = self._partial(request) * needs
        while done < needs and not self.stop.is_set():
            step = min(BEAT_SECONDS, needs - done)
            done += await self._compute(step)
            self.bucket.write(key_at(where.claim_beat), self._lease(nonce, "running", started))
        if done < needs:
            self._keep(request, done / needs)
            error = JobError(code="cancelled", permanent=False, message="the machine goes")
            body = self._lease(nonce, "stopped", started, error)
            self.bucket.write(key_at(where.claim_beat), body)
            return "stopped"
        self._write(request, nonce, started)
        self.bucket.write(key_at(where.claim_beat), self._lease(nonce, "done", started))
        return "done"

    async def _compute(self, seconds: float) -> float:
        """Compute so long, or until the machine goes; how long it was."""
        clock = asyncio.get_running_loop().time
        since = clock()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), seconds)
            seconds = min(clock() - since, seconds)
        self.computed_seconds += seconds
        return seconds

    def _now(self) -> datetime:
        return self.began + timedelta(seconds=asyncio.get_running_loop().time())

    def _usage(self, started: datetime) -> Usage:
        return Usage(worker="w", place=_ELSEWHERE, started_at=started, ended_at=self._now())

    def _lease(
        self,
        nonce: str,
        state: Literal["running", "done", "stopped"],
        started: datetime,
        error: JobError | None = None,
    ) -> bytes:
        usage = self._usage(started)
        return Lease(nonce=nonce, state=state, usage=usage, error=error).model_dump_json().encode()

    def _partial(self, request: JobRequest) -> float:
        """The part that an earlier attempt kept."""
        earlier = request.addresses.partial_read
        body = self.bucket.read(key_at(earlier)) if earlier else None
        return float(body) if body else 0.0

    def _keep(self, request: JobRequest, part: float) -> None:
        if request.addresses.partial_write:
            self.bucket.write(key_at(request.addresses.partial_write), str(part).encode())

    def _write(self, request: JobRequest, nonce: str, started: datetime) -> None:
        self.taken[request.job] = self.taken.get(request.job, 0) + 1
        result = JobResult(
            job=request.job,
            attempt=request.attempt,
            nonce=nonce,
            language="pt",
            language_probability=1.0,
            model_revision=request.model_revision,
            segments=(),
            turns=(),
            usage=self._usage(started),
        )
        body = result.model_dump_json().encode()
        self.bucket.create(key_at(request.addresses.result_create), body)
