"""A random night before a gate: machines, jobs, a provider, and what it billed in the end."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from bench.budget_gates import LONGEST_RUN_SECONDS, Gate, MemoryBucket, OldGate, real_gate
from bench.budget_provider import Nature, Outcome, Provider
from escriba.billing.attempt_times import AttemptTimes, LifeJob
from escriba.billing.price_book import Price
from escriba.billing.quote_ceiling import with_ceiling
from escriba.billing.quotes import Capabilities, JobSize, Quote, Speed, machine_quote
from resources.spending.reservations import Reservation
from tests.faults.virtual_loop import VirtualLoop

START_SECONDS, RTF = 30.0, 0.3
NIGHT_SECONDS, LOOK_SECONDS = 8 * 3_600.0, 900.0
_SINCE, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
PRICE = Price("runpod", "l4", "gpu_second", Decimal("0.00019"), _SINCE, _UNTIL, "bench")


@dataclass(frozen=True, slots=True)
class Plan:
    """A night as its seed has it. jobs: audio seconds, and by how much slower than expected."""

    seed: int
    begins: datetime
    nature: Nature
    jobs: tuple[tuple[float, float], ...]
    quotes: float  # how many of the largest the limit is
    machines: int
    at_once: int
    deaths: float  # of machines' jobs, which another one settles later


@dataclass(slots=True)
class Night:
    """What came of it. over: days on which jobs had to wait; done: of the requested jobs."""

    limit: Decimal
    asked: int
    quote: Decimal = Decimal(0)
    billed: dict[date, Decimal] = field(default_factory=dict)
    over: set[date] = field(default_factory=set)
    done: int = 0
    lives: int = 0
    vain: int = 0

    @property
    def passed_by_quotes(self) -> float:
        """By how many of its largest quotes the bill of a day passed the limit; 0 where it held."""
        most = max(self.billed.values(), default=Decimal(0)) - self.limit
        return float(max(most, Decimal(0)) / self.quote)

    @property
    def used(self) -> float | None:
        """Of the limit, on the fullest of its days; None where all jobs were done within it."""
        if self.done == self.asked:
            return None
        shares = [self.billed.get(day, Decimal(0)) / self.limit for day in self.over]
        return float(max(shares, default=Decimal(0)))


def plan_of(seed: int) -> Plan:
    """Of one random night."""
    dice = random.Random(seed)  # noqa: S311  # no secret
    short = dice.random() < 0.6
    lengths = (10.0, 120.0) if short else (600.0, 5_400.0)
    many = dice.randint(30, 90)
    jobs = [(dice.uniform(*lengths), dice.lognormvariate(0, 0.5)) for _ in range(many)]
    nature = Nature(
        workers=dice.randint(1, 8),
        idle_seconds=dice.choice([5.0, 5.0, 60.0, 300.0]),
        boot_seconds=dice.choice([(5.0, 20.0), (15.0, 60.0)]),
        slow_boots=dice.choice([0.0, 0.02]),
        vain_boots=dice.choice([0.0, 0.05, 0.5]),
        dead_boots=dice.choice([0.0, 0.05]),
        kills=dice.choice([0.0, 0.02, 0.1]),
        cut_offs=dice.choice([0.0, 0.02]),
    )
    return Plan(
        seed=seed,
        begins=datetime(2026, 3, 10, 18, tzinfo=UTC) + timedelta(minutes=dice.randrange(360)),
        nature=nature,
        jobs=tuple(jobs),
        quotes=dice.uniform(2, 30),
        machines=dice.choice([1, 2, 4]),
        at_once=dice.randint(1, 20),
        deaths=dice.choice([0.0, 0.05]),
    )


def play(plan: Plan, *, old: bool = False) -> Night:
    """The whole night, until the last worker is gone; the same each time."""
    with _in_one_thread(), asyncio.Runner(loop_factory=lambda: VirtualLoop(_Line())) as runner:
        return runner.run(_Playing(plan, runner.get_loop(), old=old).night())


class _Line:
    """A timeline with one loop on it."""

    def now(self) -> float:
        return 0.0

    def wait(self, until: float) -> float:
        return until


@contextmanager
def _in_one_thread() -> Iterator[None]:
    """Threads would let virtual time run away; the turns of others still come in between."""
    real = asyncio.to_thread

    async def here(function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401
        await asyncio.sleep(0)
        answer = function(*arguments)
        await asyncio.sleep(0)
        return answer

    asyncio.to_thread = here  # type: ignore[assignment]
    try:
        yield
    finally:
        asyncio.to_thread = real


class _Playing:
    def __init__(self, plan: Plan, loop: asyncio.AbstractEventLoop, *, old: bool) -> None:
        self._plan, self._loop, self._old = plan, loop, old
        self._dice = random.Random(plan.seed + 1)  # noqa: S311  # no secret
        self._can = Capabilities(paid=True, third_party=True, idle_seconds=plan.nature.idle_seconds)
        self._provider = Provider(plan.nature, random.Random(plan.seed + 2))  # noqa: S311
        self._storage = MemoryBucket()
        self._waiting = list(enumerate(plan.jobs))
        # of both gates the same: so many of the largest quotes that the real one gives
        ceilings = (self._ceiling(seconds) for seconds, _ in plan.jobs)
        self._night = Night(max(ceilings) * Decimal(repr(plan.quotes)), len(plan.jobs))
        self._shared = OldGate(self._night.limit, self._now)

    async def night(self) -> Night:
        await asyncio.gather(*(self._machine(skew) for skew in self._skews()))
        await self._provider.close()
        self._night.billed = self._provider.billed(PRICE.price_usd, self._plan.begins)
        lives = self._provider.lives
        self._night.lives, self._night.vain = len(lives), sum(not one.jobs for one in lives)
        return self._night

    def _planned(self, audio_seconds: float) -> Quote:
        size = JobSize(round(audio_seconds * 1000), 0, 0, "demo", "pt", diarized=True)
        return machine_quote(size, PRICE, Speed(RTF, START_SECONDS, "planned"))

    def _ceiling(self, audio_seconds: float) -> Decimal:
        planned = self._planned(audio_seconds)
        return with_ceiling(planned, PRICE, self._can, LONGEST_RUN_SECONDS).ceiling_usd

    def _skews(self) -> list[float]:
        return [self._dice.uniform(-300, 300) for _ in range(self._plan.machines)]

    def _now(self, skew: float = 0.0) -> datetime:
        return self._plan.begins + timedelta(seconds=self._loop.time() + skew)

    def _gate(self, skew: float) -> Gate:
        limit, workers = self._night.limit, self._plan.nature.workers
        time = (partial(self._now, skew), self._loop.time)
        return real_gate(self._storage, limit, PRICE, workers, time)

    async def _machine(self, skew: float) -> None:
        gate: Gate = self._shared if self._old else self._gate(skew)
        await asyncio.gather(*(self._hand(gate, skew) for _ in range(self._plan.at_once)))

    async def _hand(self, gate: Gate, skew: float) -> None:
        """Does one job after another, as long as there are any and the night lasts."""
        while self._waiting and self._loop.time() < NIGHT_SECONDS:
            number, (audio_seconds, slower) = self._waiting.pop(0)
            left, stops, attempt = audio_seconds * RTF * slower, 0, 1
            while left > 0:
                quote = gate.quote(self._planned(audio_seconds), PRICE, self._can, stops)
                self._night.quote = max(self._night.quote, quote.ceiling_usd)
                one = Reservation("acme", f"{number:064x}", attempt, "00", quote.ceiling_usd)
                if not await self._begins(gate, one):
                    return
                created = self._now(skew)
                outcome = await self._provider.run(left, quote.run_limit_seconds)
                await self._ends(gate, skew, one, _spell(self, one, quote, outcome, created))
                left = max(left - outcome.done_seconds, 0.0)
                left = 0.0 if outcome.state == "done" else max(left, 1.0)
                stops, attempt = stops + outcome.out_of_time, attempt + 1
            self._night.done += 1

    async def _begins(self, gate: Gate, one: Reservation) -> bool:
        """As soon as the limit has room for it; False where the night is over before."""
        while self._loop.time() < NIGHT_SECONDS:
            if await gate.reserve(one):
                return True
            self._night.over.add(self._now().date())
            while True:
                await asyncio.sleep(LOOK_SECONDS * self._dice.uniform(0.5, 1.5))
                if self._loop.time() >= NIGHT_SECONDS or await gate.left() >= one.usd:
                    break
        return False

    async def _ends(self, gate: Gate, skew: float, one: Reservation, spell: AttemptTimes) -> None:
        """The machine hears of it a little later; where it died, another one settles it."""
        await asyncio.sleep(self._dice.uniform(0, 60))
        if self._dice.random() < self._plan.deaths:
            await asyncio.sleep(self._dice.uniform(900, 1_800))
            gate = self._shared if self._old else self._gate(-skew)
        await gate.settle(one, spell)

    def at(self, seconds: float) -> datetime:
        """By the workers' clock, which is right."""
        return self._plan.begins + timedelta(seconds=seconds)

    @property
    def idle_timeout(self) -> timedelta:
        """Of its workers."""
        return timedelta(seconds=self._plan.nature.idle_seconds)


def _spell(
    playing: _Playing, one: Reservation, quote: Quote, outcome: Outcome, created: datetime
) -> AttemptTimes:
    ran = timedelta(seconds=outcome.ended - outcome.started)
    return AttemptTimes(
        tenant=one.tenant,
        backend=PRICE.backend,
        sku=PRICE.sku,
        status=outcome.state,
        created_at=created,
        started_at=playing.at(outcome.started),
        ended_at=playing.at(outcome.started) + ran,
        run=ran,
        run_usd=PRICE.cost_usd(Decimal(repr(ran.total_seconds()))).quantize(Decimal("1e-9")),
        reserved_usd=one.usd,
        overhead_usd=quote.overhead_usd,
        life=LifeJob(
            boot=outcome.life.boot,
            sequence=outcome.sequence,
            began_at=playing.at(outcome.life.began),
            ready_at=playing.at(outcome.life.ready),
            idle_timeout=playing.idle_timeout,
        ),
    )
