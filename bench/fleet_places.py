"""Simulated providers: a batch service of spot machines, a queue with workers, and an API."""
# ruff: noqa: D102  # the Protocols say what the methods do

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from escriba.billing.price_book import Price
from escriba.billing.quotes import (
    Capabilities,
    Health,
    JobSize,
    Quote,
    Speed,
    audio_quote,
    machine_quote,
)
from gpu_job.contract import JobRequest, Manifest
from gpu_job.contract.packing import unpacked
from resources.gpu.backend import AttemptReport, Progress
from resources.gpu.batch_machines.provider import MachineJob, MachineState
from resources.gpu.job_folder import Submission

from .fleet_bucket import FleetBucket, key_at
from .fleet_worker import FleetWorker

NOTICE_SECONDS = 30.0  # of GCP; AWS gives 120 s
_INTERRUPTED = AttemptReport("FAILED", "the machine was taken away", "cancelled")
Worker = Callable[[float], FleetWorker]  # by its RTF


@dataclass(frozen=True, slots=True)
class Nature:
    """interruptions: of a machine, in an hour. dry: when the region has no machines."""

    machines: int
    rtf: float
    start_seconds: tuple[float, float]
    interruptions: float = 0.0
    dry: tuple[float, float] = (0.0, 0.0)

    def is_dry(self, now: float) -> bool:
        """Whether there are no machines at this time."""
        return self.dry[0] <= now < self.dry[1]


@dataclass
class Bill:
    """Paid seconds, and of these those of starts; or minutes of audio, as seconds."""

    paid_seconds: float = 0.0
    start_seconds: float = 0.0


@dataclass
class SpotMachines:
    """A MachineProvider whose machines are taken away; all of them when the region dries up."""

    nature: Nature
    bucket: FleetBucket
    worker: Worker
    dice: random.Random
    bill: Bill = field(default_factory=Bill)
    _states: dict[str, MachineState] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _workers: dict[str, FleetWorker] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._room = asyncio.Semaphore(self.nature.machines)

    async def submit(self, job: MachineJob) -> str:
        if job.name not in self._states:
            self._states[job.name] = MachineState("waits")
            self._tasks[job.name] = asyncio.create_task(self._machine(job))
        return job.name

    async def states(self, ids: Sequence[str]) -> dict[str, MachineState]:
        return {id_: self._states[id_] for id_ in ids if id_ in self._states}

    async def stop(self, ids: Sequence[str]) -> None:
        for id_ in ids:
            worker = self._workers.get(id_)
            if worker is not None:
                worker.stop.set()
            elif id_ in self._tasks:
                self._tasks[id_].cancel()
                self._states[id_] = MachineState("ended", AttemptReport("CANCELLED"))

    async def health(self) -> Health:
        if self.nature.is_dry(asyncio.get_running_loop().time()):
            return Health("degraded", "the region has no machines now")
        return Health("well")

    def console_url(self, id_: str) -> str:
        return f"https://machines.example/{id_}"

    async def close(self) -> None:
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _machine(self, job: MachineJob) -> None:
        loop = asyncio.get_running_loop()
        async with self._room:
            while self.nature.is_dry(loop.time()):  # noqa: ASYNC110  # simulated time
                await asyncio.sleep(60)
            since = loop.time()
            self._states[job.name] = MachineState("runs")
            goes_at = since + self._life_seconds(since)
            start = min(self.dice.uniform(*self.nature.start_seconds), goes_at - since)
            await asyncio.sleep(start)
            worker = self._workers[job.name] = self.worker(self.nature.rtf)
            stops_at = min(goes_at, loop.time() + job.run_limit_seconds)
            timer = loop.call_at(max(stops_at, loop.time()), worker.stop.set)
            gone = await self._work(job, worker)
            timer.cancel()
            self.bill.paid_seconds += loop.time() - since
            self.bill.start_seconds += start
        report = _INTERRUPTED if gone else AttemptReport("COMPLETED")
        self._states[job.name] = MachineState("ended", report)

    async def _work(self, job: MachineJob, worker: FleetWorker) -> bool:
        """Process the manifest; whether the machine went before its end."""
        body = self.bucket.read(key_at(job.manifest_url))
        requests = Manifest.model_validate_json(unpacked(body)).requests if body else ()
        for request in requests:
            if worker.stop.is_set() or await worker.do(request) == "stopped":
                return True
        return False

    def _life_seconds(self, now: float) -> float:
        """Until it is taken away: at random, or when the region dries up."""
        rate = self.nature.interruptions / 3_600
        life = self.dice.expovariate(rate) if rate else float("inf")
        until_dry = self.nature.dry[0] - now
        return min(life, until_dry) if until_dry > 0 else life


@dataclass
class _Running:
    request: JobRequest
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Workers:
    """A Backend: a queue of single jobs. Paid by the second of a worker, or by the audio."""

    look_seconds = 300.0

    def __init__(  # noqa: PLR0913, PLR0917  # the parts of a backend
        self,
        price: Price,
        capabilities: Capabilities,
        nature: Nature,
        worker: Worker,
        dice: random.Random,
        jobs_at_once: int,
    ) -> None:
        self.name, self.sku, self.capabilities = price.backend, price.sku, capabilities
        self._is_api = price.unit == "audio_minute"
        self._nature, self._worker, self._dice = nature, worker, dice
        self._room = asyncio.Semaphore(jobs_at_once)
        self.bill = Bill()
        self._queue: deque[_Running] = deque()
        self._running: dict[str, _Running] = {}
        self._alive: set[asyncio.Task[None]] = set()

    def speed(self, job: JobSize) -> Speed:  # noqa: ARG002  # the same for all
        return Speed(self._nature.rtf, self._nature.start_seconds[0], "as it is")

    def quote(self, job: JobSize, price: Price, speed: Speed) -> Quote:
        return (audio_quote if self._is_api else machine_quote)(job, price, speed)

    async def health(self) -> Health:
        dry = self._nature.is_dry(asyncio.get_running_loop().time())
        return Health("degraded", "it is down") if dry else Health("well")

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        async with self._room:
            yield

    async def submit(self, request: JobRequest, quote: Quote, progress: Progress) -> Submission:  # noqa: ARG002  # nobody is told
        running = _Running(request)
        self._running[request.nonce] = running
        self._queue.append(running)
        if len(self._alive) < self._nature.machines:
            task = asyncio.create_task(self._live())
            self._alive.add(task)
            task.add_done_callback(self._alive.discard)
        return Submission(provider_id=request.nonce)

    async def poll(
        self, submission: Submission | None, wait_seconds: float
    ) -> AttemptReport | None:
        running = self._running.get(submission.provider_id) if submission else None
        if running is None:
            await asyncio.sleep(wait_seconds)
            return None
        try:
            await asyncio.wait_for(running.ended.wait(), wait_seconds)
        except TimeoutError:
            return None
        return AttemptReport("COMPLETED")

    async def cancel(self, submission: Submission) -> None:
        """Its worker finds the lease taken, or its attempt over."""

    def console_url(self, submission: Submission) -> str:  # noqa: ARG002  # there is none
        return ""

    async def close(self) -> None:
        for task in self._alive:
            task.cancel()

    async def _live(self) -> None:
        """One worker: it starts, takes jobs as long as there are any, and idles a little."""
        loop = asyncio.get_running_loop()
        since, start = loop.time(), self._dice.uniform(*self._nature.start_seconds)
        await asyncio.sleep(start)
        worker = self._worker(self._nature.rtf)
        while self._queue:
            running = self._queue.popleft()
            if await worker.do(running.request) == "done" and self._is_api:
                self.bill.paid_seconds += running.request.audio_ms / 1000
            running.ended.set()
        if not self._is_api:
            await asyncio.sleep(self.capabilities.idle_seconds)
            self.bill.paid_seconds += loop.time() - since
            self.bill.start_seconds += start
