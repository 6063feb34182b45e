"""Attempts on batch machines: the real backend and workers, a batch service in this process."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from escriba.billing.quotes import Capabilities, JobSize, Speed
from escriba.errors import BackendUnavailableError
from gpu_job.contract import JobLimits, Lease, Manifest
from gpu_job.contract.packing import unpacked
from resources.demo_models import unpack_demo_models
from resources.gpu.batch_machines.backend import BatchMachinesBackend
from resources.gpu.batch_machines.gather_rules import GatherRules
from resources.gpu.batch_machines.manifests import FOLDER, delete_expired
from resources.gpu.batch_machines.member_ids import MemberId, member_of
from resources.gpu.batch_machines.time_sources import Time
from resources.gpu.job_folder import Submission
from tests.fake_machines import FakeMachines

TIMES_AS_FAST = 50
LONG_SECONDS = 120
SIZE = JobSize(8_700, 8_000, 300_000, "demo", "en", diarized=False)
RULES = GatherRules(
    most_jobs=10,
    most_wait_seconds=20.0,
    most_machines=4,
    lease_limit_seconds=14_400,
    start_seconds=240.0,
    jobs_at_once=50,
)


async def sleep(seconds):
    await asyncio.sleep(seconds / TIMES_AS_FAST)


QUICK = Time(lambda: time.monotonic() * TIMES_AS_FAST, sleep)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return unpack_demo_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def machines(models):
    with FakeMachines(models, cloud="aws") as service:
        yield service


@pytest.fixture
def backend(machines, storage):
    """Made by each test, as a process of its own would."""

    def made(rules=RULES):
        can = Capabilities(paid=True, third_party=True)
        return BatchMachinesBackend("aws_gpu", "g6", can, machines, storage, rules, QUICK)

    return made


@pytest.fixture
def quote(price):
    """A quote with so much work in it."""
    one = price("0.0002", "aws_gpu", "g6")

    def quoted(backend, run_seconds=300.0):
        return backend.quote(SIZE, one, Speed(run_seconds / 8.7, 240.0, "for a test"))

    return quoted


async def ended(backend, submission):
    async with asyncio.timeout(LONG_SECONDS):
        while (report := await backend.poll(submission, 10.0)) is None:
            pass
    return report


async def attempt(backend, request, quote, submitted=lambda _: None, told=lambda _: None):
    """One attempt in a slot, to its report."""
    async with backend.slot():
        submission = await backend.submit(request, quote, told)
        submitted(submission)
        return await ended(backend, submission)


def lease(storage, number):
    body = storage.read(f"claim-{number}.json")
    return None if body is None else Lease.model_validate_json(body)


def manifests(storage):
    return [one.key for one in storage.list(FOLDER)]


async def together(backend, requests, quoted, **more):
    return await asyncio.gather(*(attempt(backend, one, quoted, **more) for one in requests))


async def when(condition):
    async with asyncio.timeout(LONG_SECONDS):
        while not condition():  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)


def test_jobs_that_arrive_together_share_a_machine(backend, machines, storage, jobs, quote):
    request, result = jobs
    requests, told, submitted = [request(n) for n in (1, 2, 3)], [], []

    async def run():
        one = backend()
        reports = await together(
            one, requests, quote(one), submitted=submitted.append, told=told.append
        )
        await one.close()
        return reports

    reports = asyncio.run(run())

    assert [report.status for report in reports] == ["COMPLETED"] * 3
    assert all(result(one) for one in requests)
    assert len(machines.submitted) == 1
    assert {member_of(one.provider_id).count for one in submitted} == {3}
    assert len({one.provider_id for one in submitted}) == 3
    assert told == [8_000] * 3
    assert manifests(storage) == []


def test_a_manifest_that_was_refused_is_refused_for_all_its_jobs(
    backend, machines, storage, jobs, quote
):
    request, _ = jobs
    machines.faults = ["refused"]

    async def run():
        one = backend()
        found = await asyncio.gather(
            *(attempt(one, request(n), quote(one)) for n in (1, 2)), return_exceptions=True
        )
        await one.close()
        return found

    found = asyncio.run(run())

    assert [type(one) for one in found] == [BackendUnavailableError] * 2
    assert machines.submitted == []
    assert manifests(storage) == []


def test_the_same_attempts_are_submitted_under_the_same_name(backend, machines, jobs, quote):
    request, _ = jobs
    machines.faults = ["accepted, but its answer was lost"]

    async def run():
        one = backend()
        with pytest.raises(BackendUnavailableError):
            await attempt(one, request(), quote(one))
        report = await attempt(one, request(), quote(one))
        await one.close()
        return report

    asyncio.run(run())

    assert len(machines.submitted) == 1


def test_what_is_left_of_a_spot_machine_is_told_to_each_of_its_jobs(
    backend, machines, storage, jobs, quote
):
    request, result = jobs
    requests = [request(1), *(request(n, hotwords="x") for n in (2, 3))]

    async def run():
        one = backend()
        running = asyncio.ensure_future(together(one, requests, quote(one)))
        await when(lambda: machines.machines)
        [machine] = machines.machines.values()
        machine.worker.announce()
        reports = await running
        await one.close()
        return reports

    reports = asyncio.run(run())

    assert {report.code for report in reports} == {"cancelled"}
    for number in (1, 2, 3):
        found = lease(storage, number)
        assert found is None or found.state == "stopped" or result(requests[number - 1])


def test_a_machine_that_the_service_starts_again_computes_nothing_twice(
    backend, machines, storage, jobs, quote
):
    request, result = jobs
    requests = [request(n) for n in (1, 2, 3)]
    machines.retries = True

    async def run():
        one = backend()
        running = asyncio.ensure_future(together(one, requests, quote(one)))
        await when(lambda: lease(storage, 1) is not None)
        [machine] = machines.machines.values()
        before = lease(storage, 1).nonce
        machine.worker.kill()
        reports = await running
        await one.close()
        return reports, before, len(machine.earlier)

    reports, before, restarts = asyncio.run(run())

    assert restarts == 1
    assert [report.status for report in reports] == ["COMPLETED"] * 3
    assert lease(storage, 1).nonce == before
    assert all(result(one) for one in requests[1:])


def test_one_cancelled_job_of_several_leaves_the_machine_to_the_others(
    backend, machines, storage, jobs, quote
):
    request, result = jobs
    machines.has_room = False

    async def run():
        one = backend()
        running = [asyncio.ensure_future(attempt(one, request(n), quote(one))) for n in (1, 2)]
        await when(lambda: machines.machines)
        [name] = machines.machines
        manifest = Manifest.model_validate_json(unpacked(storage.read(manifests(storage)[0])))
        position = [each.nonce for each in manifest.requests].index("nonce-1") + 1
        storage.create(
            "claim-1.json", Lease(nonce="buried", state="buried").model_dump_json().encode()
        )
        first = MemberId(name, name, position, 2)
        await one.cancel(Submission(provider_id=str(first)))
        assert machines.stopped == []
        machines.has_room = True
        machines.give_room()
        await asyncio.gather(*running)
        await one.close()

    asyncio.run(run())

    assert result(request(1)) is None
    assert result(request(2)) is not None


def test_the_machine_is_stopped_once_all_its_jobs_are_cancelled(backend, machines, jobs, quote):
    request, _ = jobs
    machines.has_room = False
    submitted = []

    async def run():
        one = backend()
        running = [
            asyncio.ensure_future(attempt(one, request(n), quote(one), submitted.append))
            for n in (1, 2)
        ]
        await when(lambda: len(submitted) == 2)
        await one.cancel(submitted[0])
        assert machines.stopped == []
        await one.cancel(submitted[1])
        reports = await asyncio.gather(*running)
        await one.close()
        return reports

    reports = asyncio.run(run())

    assert len(machines.stopped) == 1
    assert [report.status for report in reports] == ["CANCELLED"] * 2


def test_another_process_follows_an_attempt_and_does_not_stop_what_it_does_not_know(
    backend, machines, jobs, quote
):
    request, _ = jobs
    machines.has_room = False
    submitted = []

    async def run():
        first, second = backend(), backend()
        running = [
            asyncio.ensure_future(attempt(first, request(n), quote(first), submitted.append))
            for n in (1, 2)
        ]
        await when(lambda: len(submitted) == 2)
        await second.cancel(submitted[0])
        await second.close()
        assert machines.stopped == []
        third = backend()
        machines.has_room = True
        machines.give_room()
        report = await ended(third, submitted[0])
        await asyncio.gather(*running)
        await first.close()
        await third.close()
        return report

    assert asyncio.run(run()).status == "COMPLETED"


def test_an_interrupted_run_stops_its_machines(backend, machines, storage, jobs, quote):
    request, _ = jobs
    machines.has_room = False

    async def run():
        one = backend()
        running = asyncio.ensure_future(together(one, [request(1), request(2)], quote(one)))
        await when(lambda: machines.machines)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await one.close()

    asyncio.run(run())

    assert machines.stopped == list(machines.machines)
    assert manifests(storage) == []


def test_a_job_that_is_unknown_at_first_is_waited_for_and_one_that_vanishes_is_lost(
    backend, machines, jobs, quote
):
    request, _ = jobs
    machines.unseen = 3

    async def run():
        one = backend()
        seen = await attempt(one, request(1), quote(one))
        machines.has_room, machines.unseen = False, 0
        submitted = []
        running = asyncio.ensure_future(attempt(one, request(2), quote(one), submitted.append))
        await when(lambda: submitted)
        machines.hidden.add(member_of(submitted[0].provider_id).machine_job)
        vanished = await running
        await one.close()
        return seen, vanished

    seen, vanished = asyncio.run(run())

    assert seen.status == "COMPLETED"
    assert vanished.status == "LOST"


def test_a_service_that_does_not_answer_for_a_while_is_no_news(backend, machines, jobs, quote):
    request, _ = jobs

    async def run():
        one = backend()
        running = asyncio.ensure_future(attempt(one, request(1), quote(one)))
        await when(lambda: machines.machines)
        machines.answers = False
        assert (await one.health()).state == "down"
        before = machines.requests
        await when(lambda: machines.requests >= before + 4)
        machines.answers = True
        report = await running
        await one.close()
        return report

    assert asyncio.run(run()).status == "COMPLETED"


def test_capacity_that_never_comes_ends_at_the_queue_limit(backend, machines, jobs, quote):
    request, _ = jobs
    machines.has_room = False
    limits = JobLimits(queue_seconds=120, run_seconds=600)
    hurried = request(1).model_copy(update={"limits": limits})

    async def run():
        one = backend()
        report = await attempt(one, hurried, quote(one))
        await one.close()
        return report

    report = asyncio.run(run())

    assert (report.status, report.code) == ("CANCELLED", "cancelled")
    assert "no machine within 120 s" in report.error
    assert len(machines.stopped) == 1


def test_a_job_pays_for_its_share_of_a_start_and_reserves_a_whole_one(backend, quote):
    one = backend()

    found = quote(one, 300.0)

    share = 300.0 / RULES.full_seconds * 240.0
    assert found.paid_seconds == pytest.approx(300.0 + share)
    assert float(found.cost_usd) == pytest.approx(found.paid_seconds * 0.0002)
    assert found.latency_seconds == pytest.approx(540.0)


def test_manifests_older_than_any_address_are_deleted(storage):
    storage.write(f"{FOLDER}escriba-old.json", b"{}")
    now = datetime.now(UTC)

    assert delete_expired(storage, now + timedelta(days=6)) == 0
    assert delete_expired(storage, now + timedelta(days=8)) == 1
    assert manifests(storage) == []
