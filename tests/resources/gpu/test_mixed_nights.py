"""Nights on four backends at once: real engine, router and budget, in virtual time."""

import asyncio
import random
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from escriba.billing.permissions import SpendLimits
from escriba.billing.price_book import PriceBook
from escriba.billing.quotes import Capabilities, Health, Speed, machine_quote
from resources.gpu.backend import AttemptReport
from resources.gpu.engine import JobEngine
from resources.gpu.fleet import Fleet
from resources.gpu.job_folder import Submission
from resources.ledger.queries import open_ledger
from resources.ledger.writer import LedgerWriter
from resources.spending.budget_gate import Budget
from tests.faults.virtual_loop import VirtualLoop

from .conftest import LIMITS, FakeWorker

RTF, START_SECONDS = 0.2, 30.0
PRICES = {  # USD a second
    ("aws_gpu", "g6.xlarge"): "0.00010",
    ("gcp_gpu", "g2-standard-4"): "0.00012",
    ("runpod", "l4"): "0.00019",
    ("openai", "whisper-1"): "0.00040",
}


class Alone:
    """The line of a single loop: its time advances immediately."""

    def now(self):
        return 0.0

    def wait(self, until):
        return until


class Place:
    """So many machines that run jobs as quoted; `starts`: how many it starts before it is dry."""

    look_seconds = 60.0

    def __init__(self, name, sku, machines, starts=10_000):
        self.name, self.sku, self.starts = name, sku, starts
        self.capabilities = Capabilities(paid=True, third_party=False)
        self._room = asyncio.Semaphore(machines)
        self._ended, self._tasks = {}, set()
        self.most_usd, self._committed = Decimal(0), {}  # by job: its ceiling, then its cost

    def speed(self, job):
        return Speed(RTF, START_SECONDS, "planned")

    def quote(self, job, price, speed):
        return machine_quote(job, price, speed)

    async def health(self):
        return Health("well")

    @asynccontextmanager
    async def slot(self):
        async with self._room:
            yield

    async def submit(self, request, quote, progress):
        id_ = f"{self.name}-{len(self._ended)}"
        self._committed[id_] = quote.ceiling_usd
        self.most_usd = max(self.most_usd, sum(self._committed.values()))
        self._ended[id_] = asyncio.Event()
        if self.starts > 0:
            self.starts -= 1
            task = asyncio.create_task(self._run(request, id_))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return Submission(provider_id=id_)

    async def _run(self, request, id_):
        worker, seconds = FakeWorker(request), request.audio_ms / 1000 * RTF
        await asyncio.sleep(START_SECONDS)
        if worker.takes():
            for _ in range(int(seconds // 60)):
                await asyncio.sleep(60)
                worker.beat()
            await asyncio.sleep(seconds % 60)
            worker.beats = round(seconds / 30)
            worker.write_result()
            worker.beat("done")
        price = Decimal(PRICES[self.name, self.sku])
        self._committed[id_] = (10 + 30 * worker.beats) * price
        self._ended[id_].set()

    async def poll(self, submission, wait_seconds):
        try:
            await asyncio.wait_for(self._ended[submission.provider_id].wait(), wait_seconds)
        except TimeoutError:
            return None
        return AttemptReport("COMPLETED")

    async def cancel(self, submission):
        pass

    def console_url(self, submission):
        return ""

    async def close(self):
        pass


@pytest.fixture
def night(world, price):
    """Runs orders on places in virtual time; the finished jobs, and seconds of each."""
    book = PriceBook(tuple(price(usd, *name) for name, usd in PRICES.items()))
    today = datetime.now(UTC)  # a test that runs at midnight has one day all the same

    async def all_of(places, orders, of_backends):
        loop = asyncio.get_running_loop()
        money = SpendLimits()
        budget = Budget(
            world.storage,
            money,
            lambda: today,
            loop.time,
            prices=book,
            of_backends=of_backends,
        )
        fleet = Fleet(
            places, book, budget, clock=loop.time, sleep=asyncio.sleep, dice=random.Random(1)
        )
        engine = JobEngine(
            fleet,
            LedgerWriter(world.storage),
            max_attempts=3,
            limits=LIMITS,
            clock=loop.time,
            sleep=asyncio.sleep,
        )

        async def one(order):
            began = loop.time()
            return await engine.run(order), loop.time() - began

        return await asyncio.gather(*map(one, orders))

    def run(make_places, orders, of_backends=None):
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(Alone())) as runner:

            async def go():
                return await all_of(make_places(), orders, of_backends)

            return runner.run(go())

    run.today = today
    return run


def recordings(world, count, dice):
    """From a minute to two hours."""
    return [
        world.order(job=f"{n:064x}", audio_ms=round(60_000 * 120 ** dice.random()))
        for n in range(count)
    ]


def ledger_rows(world):
    with open_ledger(world.storage) as ledger:
        query = "SELECT backend, status, sum(cost_usd), count(*) FROM attempts GROUP BY ALL"
        return ledger.execute(query).fetchall()


def test_five_hundred_recordings_over_four_backends_keep_within_the_limit_of_each(world, night):
    limits = {"aws_gpu": Decimal(2), "gcp_gpu": Decimal(3), "runpod": Decimal(2)}
    made = []

    def places():
        made.extend(Place(*name, machines=40) for name in PRICES)
        return made

    finished = night(places, recordings(world, 500, random.Random(2)), limits)

    assert len(finished) == 500
    assert all(one.result for one, _ in finished)
    spent, done = defaultdict(Decimal), Counter()
    for backend, status, usd, count in ledger_rows(world):
        assert status == "done"
        spent[backend] += usd
        done[backend] += count
    assert sum(done.values()) == 500
    assert all(place.most_usd <= limits.get(place.name, 1_000) for place in made)
    assert all(spent[name] <= limit for name, limit in limits.items())
    # reservations hold the highest cost of each job, so a limit is not used to its last cent
    assert {name: spent[name] > limit * Decimal("0.3") for name, limit in limits.items()} == (
        dict.fromkeys(limits, True)
    ), spent
    assert done["openai"] > 50  # the dearest, which has no limit, takes the rest


def test_a_spot_region_that_dries_up_loses_nothing_and_holds_nobody_beyond_the_queue_limit(
    world, night
):
    def places():
        return [
            Place("aws_gpu", "g6.xlarge", machines=20, starts=30),
            Place("gcp_gpu", "g2-standard-4", machines=20),
            Place("runpod", "l4", machines=20),
        ]

    finished = night(places, recordings(world, 150, random.Random(3)))

    assert len(finished) == 150
    rows = {(backend, status): count for backend, status, _, count in ledger_rows(world)}
    assert sum(count for (_, status), count in rows.items() if status == "done") == 150
    # what was in flight there when it dried up, and a few that asked whether it is back
    assert 20 <= rows["aws_gpu", "buried"] <= 30
    assert {name for name, status in rows if status == "buried"} == {"aws_gpu"}
    buried = [
        sum(attempt.end.status == "buried" for attempt in one.attempts) for one, _ in finished
    ]
    assert max(buried) == 1  # nobody is sent back to where nothing came
