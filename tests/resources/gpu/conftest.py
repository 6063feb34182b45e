import asyncio
import hashlib
import random
import shutil
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from escriba.billing.permissions import SpendLimits as Money
from escriba.billing.price_book import Price, PriceBook
from escriba.billing.quotes import Capabilities, Health, Speed, machine_quote
from escriba.settings import load_settings
from gpu_job import transfer
from gpu_job.contract import (
    JobAddresses,
    JobError,
    JobLimits,
    JobOptions,
    JobRequest,
    JobResult,
    Lease,
    Segment,
    SpeechRegion,
    Usage,
)
from gpu_job.contract.packing import unpacked
from gpu_job.contract.process_identity import here
from gpu_job.transfer import Put
from resources.gpu.backend import AttemptReport
from resources.gpu.engine import JobEngine
from resources.gpu.fleet import Fleet
from resources.gpu.job_folder import FrozenRequest, JobFolder, Submission
from resources.gpu.job_orders import AttemptLimits, new_attempt, order_of
from resources.ledger import writer as ledger_module
from resources.ledger.queries import open_ledger
from resources.ledger.writer import LedgerWriter
from resources.spending.budget_gate import Budget
from resources.storage import open_storage

LIMITS = AttemptLimits(queue_seconds=3_600, run_seconds=7_200)
JOB = hashlib.sha256(b"a job").hexdigest()
DICE = random.Random(1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEAD = here().model_copy(update={"started": "long ago"})  # another process had this number


class Clock:
    """Time that advances only on request."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds
        await asyncio.sleep(0)


class FakeWorker:
    """What a worker leaves in the bucket, through the addresses of its request alone."""

    def __init__(self, request):
        self.request, self.addresses = request, request.addresses
        self.cancelled, self.beats, self.done_ms = False, 0, 0
        self.nonce = f"{request.nonce}-{id(self)}"
        self.place = here()
        self.boot, self.machine = "", None

    def takes(self, place=None):
        """The lease, unless there is a result or another worker has it."""
        self.place = place or self.place
        if transfer.read(self.addresses.result_read) is not None:
            return False
        return transfer.put(self.addresses.claim_create, self.claim("running")) is Put.WRITTEN

    def claim(self, state, error=None):
        usage = Usage(
            worker="worker-1",
            place=self.place,
            started_at=NOON,
            ended_at=NOON + timedelta(seconds=10 + 30 * self.beats),
            audio_ms_done=self.done_ms,
            boot=self.boot,
            sequence=1,
            machine=self.machine,
        )
        return (
            Lease(nonce=self.nonce, state=state, usage=usage, error=error)
            .model_dump_json()
            .encode()
        )

    def beat(self, state="running", error=None, done_ms=0):
        self.beats += 1
        self.done_ms = done_ms or self.done_ms
        transfer.put(self.addresses.claim_beat, self.claim(state, error))

    def write_result(self):
        result = JobResult(
            job=self.request.job,
            attempt=self.request.attempt,
            nonce=self.nonce,
            language="en",
            language_probability=1.0,
            model_revision=self.request.model_revision,
            segments=(Segment(start_ms=0, end_ms=900, words=()),),
            turns=(),
            usage=Lease.model_validate_json(self.claim("done")).usage,
        )
        return transfer.put(self.addresses.result_create, result.model_dump_json().encode())


# Scripts: generators that go on one step with each poll, and are final at their end.


def succeeds(worker):
    if worker.takes():
        yield
        worker.write_result()
        worker.beat("done")


def fails(worker, *, permanent=False):
    if worker.takes():
        yield
        code = "audio_unreadable" if permanent else "internal"
        worker.beat("failed", JobError(code=code, permanent=permanent, message="it is torn"))


def fails_for_good(worker):
    yield from fails(worker, permanent=True)


def dies(worker):
    worker.takes(place=DEAD)
    yield


def is_never_begun(worker):
    return
    yield


class FakeBackend:
    """Plays one script after another; waiting moves the clock and takes no time."""

    look_seconds = 15.0

    def __init__(self, clock, *scripts, name="runpod", sku="l4", **capabilities):
        self.name, self.sku = name, sku
        self.capabilities = Capabilities(**{"paid": True, "third_party": True} | capabilities)
        self.clock, self.scripts = clock, list(scripts)
        self.said, self.refusals = Health("well"), []
        self.workers, self._playing = [], {}
        self.polls, self.closed = 0, False

    @property
    def attempts(self):
        return [worker.request.attempt for worker in self.workers]

    def speed(self, job):
        return Speed(rtf=0.2, start_seconds=30.0, basis="planned")

    def quote(self, job, price, speed):
        return machine_quote(job, price, speed)

    async def health(self):
        return self.said

    def console_url(self, submission):
        return ""

    @asynccontextmanager
    async def slot(self):
        yield

    async def submit(self, request, quote, progress):
        worker = FakeWorker(request)
        if self.refusals:
            raise self.refusals.pop(0)
        script = self.scripts.pop(0) if self.scripts else succeeds
        submission = Submission(provider_id=f"{id(self)}/{len(self.workers)}")
        self._playing[submission.provider_id] = (worker, script(worker))
        self.workers.append(worker)
        return submission

    async def poll(self, submission, wait_seconds):
        self.polls += 1
        assert self.polls < 10_000, "the engine never ends"
        await asyncio.sleep(0)
        held = self._playing.get(submission.provider_id) if submission else None
        if held is None:
            self.clock.now += wait_seconds
            return None
        try:
            next(held[1])
        except StopIteration:
            return AttemptReport("COMPLETED")
        self.clock.now += wait_seconds
        return None

    async def cancel(self, submission):
        if submission.provider_id in self._playing:
            self._playing[submission.provider_id][0].cancelled = True

    async def close(self):
        self.closed = True


def _order(  # noqa: PLR0913  # what tests want to be different
    storage,
    *,
    tenant="acme",
    retry=False,
    recording="acme/a.mp3",
    permission=None,
    job=JOB,
    audio_ms=60_000,
    progress=lambda _: None,
):
    request = FrozenRequest(
        job=job,
        content_sha256="c" * 64,
        options=JobOptions(model="demo"),
        model_revision="demo@1",
        regions=(SpeechRegion(start_ms=0, end_ms=40_000),),
        audio_ms=audio_ms,
        recording=recording,
        created_at=NOON,
    )
    return order_of(
        JobFolder(storage, tenant, job),
        request,
        audio_key="work/acme/a.mp3/audio.flac",
        audio_sha256="d" * 64,
        audio_channels=1,
        audio_bytes=1_000_000,
        progress=progress,
        permission=permission,
        retry=retry,
    )


def _price(usd, backend="runpod", sku="l4", since=datetime(2020, 1, 1, tzinfo=UTC), until=None):
    until = until or datetime.max.replace(tzinfo=UTC)
    return Price(backend, sku, "gpu_second", Decimal(usd), since, until, "test")


@pytest.fixture
def price():
    """Makes a price of a second on the fake backend."""
    return _price


@pytest.fixture
def storage(tmp_path):
    return open_storage(load_settings(storage_url=(tmp_path / "bucket").as_uri()))


async def _in_this_thread(function, *arguments):
    """As asyncio.to_thread, but one after another.

    A disk that is slow in one thread would let virtual time run away in another: two engines
    then see each other's attempts as never submitted.
    """
    await asyncio.sleep(0)
    return function(*arguments)


@pytest.fixture
def world(storage, monkeypatch):
    """A bucket, a clock, and engines on scripted backends; every schedule is the same each time."""
    monkeypatch.setattr(asyncio, "to_thread", _in_this_thread)
    monkeypatch.setattr(ledger_module, "_GATHER_SECONDS", 0)
    clock = Clock()
    book = PriceBook(
        (_price("0.00019"), _price("0.00031", sku="rtx4090"), _price("0.01", "openai"))
    )

    def engine(*backends, prices=book, money=None, of_backends=None, primary="auto", **changes):
        budget = Budget(storage, money or Money(), of_backends=of_backends)
        fleet = Fleet(
            backends, prices, budget, primary=primary, clock=clock, sleep=clock.sleep, dice=DICE
        )
        limits = {
            "max_attempts": 3,
            "limits": LIMITS,
            "clock": clock,
            "sleep": clock.sleep,
        }
        return JobEngine(fleet, LedgerWriter(storage), **(limits | changes))

    def attempt(order):
        """The record of a first attempt, as an engine creates it; no worker has started it."""
        backend, made_at = FakeBackend(clock), datetime.now(UTC)
        fleet = Fleet([backend], book, Budget(storage, Money()))
        chosen = asyncio.run(fleet.choose(order, LIMITS.run_seconds))
        return new_attempt(order, 1, made_at, chosen, LIMITS)

    def order(**changes):
        return _order(storage, **changes)

    def run(backend, order, **changes):
        """One order on an engine of its own, as a new process would."""
        backends = backend if isinstance(backend, list) else [backend]
        return asyncio.run(engine(*backends, **changes).run(order))

    def rows():
        """Of the ledger, each attempt once."""
        with open_ledger(storage) as ledger:
            query = "SELECT attempt, status, run_seconds, cost_usd FROM attempts ORDER BY attempt"
            return ledger.execute(query).fetchall()

    return SimpleNamespace(
        storage=storage,
        clock=clock,
        engine=engine,
        order=order,
        attempt=attempt,
        run=run,
        rows=rows,
        backend=lambda *scripts, **changes: FakeBackend(clock, *scripts, **changes),
    )


@pytest.fixture
def scripts():
    """What workers may do."""
    return SimpleNamespace(
        succeeds=succeeds,
        fails=fails,
        fails_for_good=fails_for_good,
        dies=dies,
        is_never_begun=is_never_begun,
    )


@pytest.fixture
def dead():
    """The place of a process of this machine that is certainly gone."""
    return DEAD


@pytest.fixture
def jobs(storage, tmp_path, clips):
    """Makes requests for jobs on a real recording in a folder, and looks for their results."""
    storage.upload("audio.wav", Path(shutil.copy(clips.english, tmp_path)))
    sha256 = hashlib.sha256(clips.english.read_bytes()).hexdigest()

    def address(name, permission):
        return storage.address(name, permission, timedelta(hours=1))

    def request(number=1, **options):
        claim, result = f"claim-{number}.json", f"result-{number}.json"
        return JobRequest(
            job=hashlib.sha256(str(number).encode()).hexdigest(),
            attempt=number,
            nonce=f"nonce-{number}",
            options=JobOptions(model="demo", diarizer="none", **options),
            regions=(SpeechRegion(start_ms=0, end_ms=8_000),),
            audio_ms=8_700,
            audio_sha256=sha256,
            model_revision="demo@1",
            addresses=JobAddresses(
                audio=address("audio.wav", "read"),
                result_read=address(result, "read"),
                result_create=address(result, "create"),
                claim_read=address(claim, "read"),
                claim_create=address(claim, "create"),
                claim_beat=address(claim, "write"),
            ),
            limits=JobLimits(queue_seconds=600, run_seconds=600),
        )

    def result(request):
        body = transfer.read(request.addresses.result_read)
        return None if body is None else JobResult.model_validate_json(unpacked(body))

    return request, result
