"""A simulated night on four backends: what it costs, what starts cost, and that nothing is lost.

`python -m bench.fleet [--quick] [--seed N] [--json]`. 10,000 recordings (quick: 1,000), as long as
those of a real archive: minutes to six hours. The engine, the router, the gathering and the packing
are the product's; bucket, machines and time are simulated. Prices are those of the price book.
Spot machines of AWS and Google are interrupted at random, AWS's region has none for an hour and a
half, and a job takes up to half as long again as planned.

start_share: starts, of all paid seconds of batch machines. lost: recordings without a result.
twice: computations to the end beside the first. p95_hours: when 95 % were done. regret: the cost,
against the cheapest assignment of all work to the same machines within the same time, known in
hindsight and free of starts.
"""

import asyncio
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bench import report
from bench.fleet_bucket import FleetBucket
from bench.fleet_places import Bill, Nature, SpotMachines, Workers
from bench.fleet_worker import FleetWorker
from escriba.billing.measured_speeds import MeasuredSpeed
from escriba.billing.permissions import SpendLimits as Money
from escriba.billing.price_book import PriceBook, read_price_book
from escriba.billing.quotes import Capabilities
from escriba.errors import EscribaError
from escriba.settings import load_settings
from gpu_job.contract import JobOptions, SpeechRegion
from resources.gpu.batch_machines.backend import BatchMachinesBackend
from resources.gpu.batch_machines.gather_rules import GatherRules
from resources.gpu.batch_machines.time_sources import Time
from resources.gpu.engine import JobEngine
from resources.gpu.fleet import Fleet
from resources.gpu.job_folder import FrozenRequest, JobFolder
from resources.gpu.job_orders import AttemptLimits, JobOrder, order_of
from resources.ledger import writer
from resources.ledger.writer import LedgerWriter
from resources.spending.budget_gate import Budget
from tests.faults.virtual_loop import VirtualLoop
from tests.faults.wall import live_by

BEGAN = datetime(2026, 11, 30, 20, tzinfo=UTC)
LIMITS = AttemptLimits(queue_seconds=21_600, run_seconds=7_200)
AT_ONCE = 0.5  # of all recordings, as several runs of 500 keep so many in progress
HOURS = 3_600.0
NATURES = {  # for 10,000 recordings
    "aws_gpu": Nature(60, 0.2, (150, 330), 0.05, (2 * HOURS, 3.5 * HOURS)),
    "gcp_gpu": Nature(60, 0.3, (150, 330), 0.08),
    "runpod": Nature(20, 0.2, (15, 60)),
    "openai": Nature(50, 0.05, (1, 2)),
}
SKUS = {
    "aws_gpu": "g5.xlarge",
    "gcp_gpu": "n1-standard-4-t4",
    "runpod": "l4",
    "openai": "gpt-transcribe",
}


Clock = Callable[[], float]


class _Line:
    """A timeline with one loop on it."""

    def now(self) -> float:
        return 0.0

    def wait(self, until: float) -> float:
        return until


@dataclass
class Night:
    """What came of it. done: the times at which recordings were done."""

    bills: dict[str, Bill] = field(default_factory=dict)
    done: list[float] = field(default_factory=list)
    lost: int = 0
    taken: dict[str, int] = field(default_factory=dict)


def lengths(count: int, dice: random.Random) -> list[float]:
    """Seconds of audio: a median of 12 minutes, 1 % over three hours, at most six."""
    return [min(max(dice.lognormvariate(6.6, 1.15), 60), 21_600) for _ in range(count)]


def scaled(nature: Nature, count: int) -> Nature:
    """With as many machines as so many recordings need."""
    machines = max(1, round(nature.machines * count / 10_000))
    return Nature(machines, nature.rtf, nature.start_seconds, nature.interruptions, nature.dry)


class _Playing:
    def __init__(self, seconds: list[float], dice: random.Random, clock: Clock) -> None:
        self._seconds, self._dice = seconds, dice
        self._clock, self.bucket, self.night = clock, FleetBucket(), Night()
        self.book = read_price_book(load_settings().price_book)
        self.natures = {name: scaled(one, len(seconds)) for name, one in NATURES.items()}
        self._room = asyncio.Semaphore(max(50, round(len(seconds) * AT_ONCE)))

    async def play(self) -> None:
        spot = [self._machines("aws_gpu"), self._machines("gcp_gpu")]
        backends = [*spot, self._workers("runpod", 5.0), self._workers("openai", 0.0)]
        times: dict[str, Any] = {"clock": self._clock, "sleep": asyncio.sleep}
        budget = Budget(self.bucket, Money())
        speeds = {
            (name, sku, "demo", False): MeasuredSpeed(self.natures[name].rtf, 240.0, 100)
            for name, sku in SKUS.items()
        }
        fleet = Fleet(backends, self.book, budget, speeds=lambda: speeds, dice=self._dice, **times)
        engine = JobEngine(fleet, LedgerWriter(self.bucket), max_attempts=5, limits=LIMITS, **times)
        await asyncio.gather(*(self._one(engine, n) for n in range(len(self._seconds))))
        await engine.close()

    async def _one(self, engine: JobEngine, number: int) -> None:
        async with self._room:
            try:
                await engine.run(self._order(number))
            except EscribaError as error:
                print(f"recording {number}: {error}")
                self.night.lost += 1
            else:
                self.night.done.append(self._clock())

    def _order(self, number: int) -> JobOrder:
        job = hashlib.sha256(str(number).encode()).hexdigest()
        audio_ms = round(self._seconds[number] * 1000)
        request = FrozenRequest(
            job=job,
            content_sha256=job,
            options=JobOptions(model="demo", diarizer="none"),
            model_revision="demo@1",
            regions=(SpeechRegion(start_ms=0, end_ms=audio_ms),),
            audio_ms=audio_ms,
            recording=f"acme/{number}.mp3",
            created_at=BEGAN,
        )
        return order_of(
            JobFolder(self.bucket, "acme", job),
            request,
            audio_key=f"work/acme/{number}.mp3/audio.flac",
            audio_sha256=job,
            audio_channels=1,
            audio_bytes=1_000_000,
            progress=lambda _: None,
        )

    def _worker(self, rtf: float) -> FleetWorker:
        return FleetWorker(self.bucket, BEGAN, rtf, _slower, self.night.taken)

    def _machines(self, name: str) -> BatchMachinesBackend:
        nature = self.natures[name]
        provider = SpotMachines(nature, self.bucket, self._worker, self._dice)
        self.night.bills[name] = provider.bill
        rules = GatherRules(
            most_jobs=100,
            most_wait_seconds=20.0,
            most_machines=nature.machines,
            lease_limit_seconds=14_400,
            start_seconds=240.0,
            jobs_at_once=50 * nature.machines,  # as the settings' defaults have it
        )
        can = Capabilities(paid=True, third_party=False)
        time_ = Time(self._clock, asyncio.sleep, self._dice.random)
        sku = SKUS[name]
        backend = BatchMachinesBackend(name, sku, can, provider, self.bucket, rules, time_)
        backend.look_seconds = 300.0
        return backend

    def _workers(self, name: str, idle_seconds: float) -> Workers:
        price = self.book.at(name, SKUS[name], BEGAN)
        can = Capabilities(paid=True, third_party=True, idle_seconds=idle_seconds)
        nature = self.natures[name]
        backend = Workers(price, can, nature, self._worker, self._dice, 4 * nature.machines)
        self.night.bills[name] = backend.bill
        return backend


def _slower(job: str) -> float:
    """By how much a job takes longer than planned: the same wherever it runs."""
    return 0.9 + 0.6 * (int(job[:8], 16) / 0xFFFFFFFF) ** 4


def usd_by_backend(night: Night, book: PriceBook) -> dict[str, float]:
    """What each backend billed."""
    return {
        name: float(book.at(name, SKUS[name], BEGAN).cost_usd(Decimal(repr(bill.paid_seconds))))
        for name, bill in night.bills.items()
    }


def hindsight_usd(work: float, playing: _Playing, until: float) -> float:
    """The least cost of so many audio seconds: each backend to its limit, the cheapest first."""
    units = []
    for name, nature in playing.natures.items():
        price = playing.book.at(name, SKUS[name], BEGAN)
        seconds = 1.0 if price.unit == "audio_minute" else nature.rtf
        dry = max(min(nature.dry[1], until) - nature.dry[0], 0.0)
        most = nature.machines * (until - dry) / nature.rtf
        units.append((float(price.cost_usd(Decimal(1))) * seconds, most))
    usd = 0.0
    for each, most in sorted(units):
        part = min(work, most)
        usd, work = usd + part * each, work - part
    return usd


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--count", type=int, help="how many recordings")
    parser.add_argument("--seed", type=int, default=17, help="of lengths and interruptions")
    chosen = parser.parse_args()
    count = chosen.count or (1_000 if chosen.quick else 10_000)
    seconds = lengths(count, random.Random(chosen.seed))  # noqa: S311  # not for secrets
    writer._GATHER_SECONDS = 5.0  # noqa: SLF001  # 0.2 s would make 10,000 files
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(_Line())) as runner:
        loop = runner.get_loop()
        live_by(loop.time, BEGAN)
        dice = random.Random(chosen.seed)  # noqa: S311  # not for secrets
        playing = _Playing(seconds, dice, loop.time)
        asyncio.to_thread = _here  # type: ignore[assignment]
        runner.run(playing.play())
    show(playing, seconds, chosen.json)


async def _here(function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401  # as asyncio.to_thread
    """In this thread: others would let virtual time run away."""
    await asyncio.sleep(0)
    return function(*arguments)


def show(playing: _Playing, seconds: list[float], as_json: bool) -> None:  # noqa: FBT001
    """Print what came of it."""
    night, done = playing.night, sorted(playing.night.done)
    usd = usd_by_backend(night, playing.book)
    work = sum(
        each * _slower(hashlib.sha256(str(n).encode()).hexdigest())
        for n, each in enumerate(seconds)
    )
    starts = sum(night.bills[name].start_seconds for name in ("aws_gpu", "gcp_gpu"))
    paid = sum(night.bills[name].paid_seconds for name in ("aws_gpu", "gcp_gpu"))
    best = hindsight_usd(work, playing, done[-1])
    figures = {
        "recordings": len(seconds),
        "usd_per_audio_hour": round(sum(usd.values()) / (sum(seconds) / HOURS), 4),
        "start_share": round(starts / paid, 4),
        "lost": night.lost,
        "twice": sum(times - 1 for times in night.taken.values()),
        "p95_hours": round(done[int(len(done) * 0.95)] / HOURS, 2),
        "regret": round(sum(usd.values()) / best - 1, 4),
    }
    rows = [
        (name, f"{usd[name]:.2f}", f"{bill.paid_seconds / HOURS:.0f}", f"{bill.start_seconds:.0f}")
        for name, bill in night.bills.items()
    ]
    columns = ("backend", "USD", "paid hours", "start s")
    report.show(f"A night: {figures}", columns, rows, figures, as_json=as_json)


if __name__ == "__main__":
    main()
