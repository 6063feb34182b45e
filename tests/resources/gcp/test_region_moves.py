"""A job that gets no machine in one region goes on in the next, and never has two machines."""

import pytest

from tests.fake_runpod import LOST_ANSWER, Fault, busy

from .conftest import REGIONS

SHARE = 600  # a third of the queue limit of 1,800 s


async def looks(provider, clock, id_, count=1, every=SHARE):
    """Looks at a job again and again; the phases."""
    phases = []
    for _ in range(count):
        clock.now += every
        states = await provider.states([id_])
        phases.append(states[id_].phase if id_ in states else "missing")
    return phases


def test_each_region_has_its_share_of_the_queue_limit_and_the_engine_sees_one_job(
    gcp, run, job, clock
):
    async def use(provider):
        id_ = await provider.submit(job())
        seen = []
        for _ in range(28):
            seen += await looks(provider, clock, id_, every=SHARE / 10)
            seen.append(next((one.region for one in gcp.jobs.values()), ""))
        return id_, seen, provider.console_url(id_)

    id_, seen, url = run(use)

    phases, regions = seen[::2], [one for one in seen[1::2] if one]
    assert {*phases} == {"waits"}
    assert list(dict.fromkeys(regions)) == [*REGIONS]
    assert gcp.job(id_).region == REGIONS[-1]
    assert "us-east1" in url
    assert gcp.overlaps == []  # the old one was always gone before the new one came


def test_a_region_that_says_it_is_dry_gets_ten_minutes_at_most(gcp, run, job, clock):
    async def use(provider):
        id_ = await provider.submit(job(queue_limit_seconds=36_000))
        gcp.dry_up(id_)
        await looks(provider, clock, id_, 2, every=1)
        await looks(provider, clock, id_, 6, every=300)
        return gcp.job(id_).region

    assert run(use) == "europe-west4"


def test_the_next_jobs_begin_where_machines_are(gcp, run, job, clock):
    async def use(provider):
        first = await provider.submit(job(1))
        gcp.dry_up(first)
        await provider.states([first])
        second = await provider.submit(job(2))
        clock.now += 1_000
        third = await provider.submit(job(3))
        return second, third

    second, third = run(use)

    assert second.startswith("europe-west4/")
    assert third.startswith("us-central1/")


def test_a_machine_that_came_since_the_look_is_kept(gcp, run, job, clock):
    """The list was old; the job is looked at again before it is deleted."""

    async def use(provider):
        id_ = await provider.submit(job())
        await provider.states([id_])
        old = gcp.job(id_).view() | {}
        gcp.job(id_).state, gcp.job(id_).counts = "RUNNING", {"RUNNING": "1"}
        real, gcp.get = gcp.get, lambda name: old
        clock.now += SHARE

        def get(name):
            gcp.get = real
            return old

        gcp.get = get
        return [(await provider.states([id_]))[id_].phase, *await looks(provider, clock, id_)]

    phases = run(use)

    assert phases == ["waits", "runs"]
    assert gcp.count("delete") == 0


def test_a_job_that_runs_stays_however_long(gcp, run, job, clock):
    async def use(provider):
        id_ = await provider.submit(job())
        gcp.job(id_).state, gcp.job(id_).counts = "RUNNING", {"RUNNING": "1"}
        return await looks(provider, clock, id_, 5, every=10_000)

    assert run(use) == ["runs"] * 5
    assert gcp.count("delete") == 0


def test_a_preempted_job_that_gets_no_other_machine_goes_on_in_the_next_region(
    gcp, run, job, clock
):
    async def use(provider):
        id_ = await provider.submit(job())
        gcp.job(id_).state, gcp.job(id_).counts = "RUNNING", {"PENDING": "1"}
        return id_, await looks(provider, clock, id_, 4)

    id_, phases = run(use)

    assert phases[0] == "runs"
    assert gcp.job(id_).region == "europe-west4"


def test_a_job_that_failed_for_want_of_machines_goes_on_and_one_that_failed_otherwise_ends(
    gcp, run, job, clock
):
    async def use(provider):
        dry, broken = [await provider.submit(job(number)) for number in (1, 2)]
        gcp.dry_up(dry)
        for id_ in (dry, broken):
            gcp.job(id_).to("FAILED")
        states = await provider.states([dry, broken])
        return [states[dry], states[broken], *await looks(provider, clock, dry, 2, every=1)]

    dry, broken, *phases = run(use)

    assert dry.phase == "waits"
    assert (broken.phase, broken.report.status) == ("ended", "FAILED")
    assert phases == ["waits", "waits"]
    assert gcp.job(job(1).name).region == "europe-west4"


def test_a_job_that_was_deleted_by_somebody_else_does_not_come_back(gcp, run, job, clock):
    async def use(provider):
        id_ = await provider.submit(job())
        gcp.lose(id_)
        return await looks(provider, clock, id_, 3)

    assert run(use) == ["missing"] * 3
    assert gcp.jobs == {}


def test_any_other_process_finds_a_job_that_has_moved(gcp, run, job, clock):
    async def moves(provider):
        id_ = await provider.submit(job())
        await looks(provider, clock, id_, 4)
        return id_

    async def later(provider):
        states = await provider.states([id_])
        url = provider.console_url(id_)
        again = await provider.submit(job())
        await provider.stop([id_])
        return states[id_].phase, url, again

    id_ = run(moves)
    moved_to = gcp.job(id_).region
    phase, url, again = run(later)

    assert (id_.partition("/")[0], moved_to) == ("us-central1", "europe-west4")
    assert phase == "waits"
    assert "europe-west4" in url
    assert again == f"europe-west4/{job().name}"
    assert gcp.job(id_).state == "CANCELLED"


def test_another_process_sees_a_job_between_two_regions_as_one_that_waits(gcp, run, job, clock):
    """It would otherwise abandon attempts whose machine is about to come."""

    async def leaves(provider):
        id_ = await provider.submit(job())
        await looks(provider, clock, id_, 2)
        return id_

    async def look(provider):
        return (await provider.states([id_]))[id_].phase

    id_ = run(leaves)

    assert gcp.job(id_).state == "DELETION_IN_PROGRESS"
    assert run(look) == "waits"


@pytest.mark.parametrize("verb", ["delete", "create"])
@pytest.mark.parametrize("fault", [busy(503), LOST_ANSWER], ids=["503", "lost answer"])
def test_a_move_survives_an_api_that_fails(  # noqa: PLR0913, PLR0917  # what breaks
    gcp, run, job, clock, verb, fault
):
    async def use(provider):
        id_ = await provider.submit(job())
        gcp.faults[verb].extend([fault, *[busy(503)] * 3])
        return id_, await looks(provider, clock, id_, 6)

    id_, phases = run(use)

    assert {*phases} == {"waits"}
    assert gcp.job(id_).region != "us-central1"
    assert len(gcp.jobs) == 1
    assert gcp.overlaps == []


def test_a_region_that_refuses_is_passed_over_and_after_the_last_one_the_job_has_failed(
    gcp, run, job, clock
):
    refused = Fault(status=400, body=b'{"error": {"message": "no such machine type here"}}')

    async def use(provider):
        id_ = await provider.submit(job())
        gcp.faults["create"].extend([refused] * 2)
        assert {*await looks(provider, clock, id_, 5)} == {"waits"}
        return (await provider.states([id_]))[id_]

    state = run(use)

    assert state.phase == "ended"
    assert (state.report.status, state.report.code) == ("FAILED", "cancelled")
    assert "GCP_BATCH_REGIONS" in state.report.error
    assert gcp.jobs == {}


def test_a_job_that_is_stopped_between_two_regions_is_gone(gcp, run, job, clock):
    async def use(provider):
        id_ = await provider.submit(job())
        await looks(provider, clock, id_, 2)  # it is being deleted
        await provider.stop([id_])
        return await looks(provider, clock, id_, 3)

    phases = run(use)

    assert phases[-1] in {"missing", "ended"}
    assert not [one for one in gcp.jobs.values() if one.state == "QUEUED"]


def test_with_one_region_a_job_waits_there(gcp, run, job, clock):
    async def use(provider):
        id_ = await provider.submit(job())
        return await looks(provider, clock, id_, 5)

    assert run(use, gcp_batch_regions="us-east1") == ["waits"] * 5
    assert gcp.count("delete") == 0
