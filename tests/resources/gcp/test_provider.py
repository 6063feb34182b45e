"""Machine jobs on GCP Batch: submitted once, looked at with few requests, stopped, and told of."""

import asyncio
import logging

import pytest

from escriba.errors import BackendUnavailableError
from resources.gpu.gcp import provider as provider_module
from tests.fake_gcp_batch import TOKEN
from tests.fake_gcp_jobs import RefusedError
from tests.fake_runpod import CUT, GARBAGE, HTML, LOST_ANSWER, RESET, Fault, busy

from .conftest import REGIONS, SIGNED

ONE = {"gcp_batch_regions": "us-central1"}
PASSING = {
    "reset": RESET,
    "cut": CUT,
    "lost answer": LOST_ANSWER,
    "500": busy(500),
    "503": busy(503),
    "html": HTML,
    "truncated": GARBAGE,
    "429": busy(429),
}


def test_a_job_is_created_in_the_first_region_and_has_a_page_in_the_console(gcp, run, job):
    async def use(provider):
        id_ = await provider.submit(job())
        return id_, provider.console_url(id_), await provider.states([id_])

    id_, url, states = run(use)

    assert id_ == f"us-central1/{job().name}"
    assert states[id_].phase == "waits"
    assert gcp.job(id_).definition["labels"]["escriba"] == job().name
    assert url == (
        "https://console.cloud.google.com/batch/jobsDetail/regions/us-central1/jobs/"
        f"{job().name}/details?project=escriba-test"
    )


@pytest.mark.parametrize("regions", [ONE, {}], ids=["one region", "three regions"])
def test_a_second_submission_finds_the_first_one(gcp, run, job, regions):
    async def submit(provider):
        return await provider.submit(job())

    first, second = run(submit, **regions), run(submit, **regions)

    assert first == second
    assert len(gcp.jobs) == 1


def test_a_name_that_another_client_took_is_attached_to(gcp, run, job):
    """Without the request's id, as after an hour: Batch answers 409."""

    async def submit(provider):
        return await provider.submit(job())

    run(submit, **ONE)
    gcp.job(job().name).request_id = "another"

    assert run(submit, **ONE) == f"us-central1/{job().name}"
    assert len(gcp.jobs) == 1


def test_the_fake_refuses_a_place_outside_the_region_of_the_job(gcp, run, job):
    """What Google does since 2026-07-31, so that no test passes without it."""

    async def submit(provider):
        return await provider.submit(job())

    run(submit, **ONE)
    definition = gcp.job(job().name).definition
    definition["allocationPolicy"]["location"]["allowedLocations"] = ["regions/us-east1"]
    asked = {"jobId": "another", "requestId": "5b8f5d02-3b1d-4e5e-9f5a-2f1d5a4b1c11"}

    with pytest.raises(RefusedError, match="not in the location us-central1"):
        gcp.create("us-central1", asked, definition)


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
@pytest.mark.parametrize("verb", ["create", "get", "list", "cancel"])
def test_what_passes_is_asked_again_and_happens_once(gcp, run, job, verb, fault):
    async def use(provider):
        ids = [await provider.submit(job(number)) for number in range(6)]
        states = await provider.states(ids)
        few = await provider.states(ids[:1])
        await provider.stop(ids[:1])
        return states, few, ids

    gcp.faults[verb].append(fault)
    states, few, ids = run(use, **ONE)

    assert {state.phase for state in [*states.values(), *few.values()]} == {"waits"}
    assert len(gcp.jobs) == len(states) == 6
    assert gcp.job(ids[0]).state == "CANCELLED"


def test_a_wait_that_google_asks_for_is_kept(gcp, run, job, clock):
    async def use(provider):
        await provider.submit(job())

    gcp.faults["create"].append(busy(429, Retry_After="20"))
    run(use, **ONE)

    assert sum(clock.slept) >= 20


def test_many_jobs_are_looked_at_with_one_list_and_a_new_one_is_looked_up(gcp, run, job):
    """Lists show a new job only after a while."""

    async def use(provider):
        ids = [await provider.submit(job(number)) for number in range(12)]
        gcp.job(ids[3]).hidden = 1
        gcp.requests.clear()
        first = await provider.states(ids)
        gets = gcp.count("get")
        second = await provider.states(ids)
        return ids, first, gets, second

    ids, first, gets, second = run(use, **ONE)

    assert set(first) == set(ids) - {ids[3]}
    assert set(second) == set(ids)
    assert gets == 1
    assert gcp.count("list") == 2


def test_pages_are_read_until_all_jobs_are_found_and_no_further(gcp, run, job):
    gcp.page = 5

    async def use(provider):
        ids = [await provider.submit(job(number)) for number in range(40)]
        gcp.requests.clear()
        return await provider.states(ids[-12:]), await provider.states(ids[:6])

    newest, oldest = run(use, **ONE)

    assert (len(newest), len(oldest)) == (12, 6)
    assert gcp.count("list") == 3 + 8
    assert gcp.count("get") == 0


def test_a_job_that_nobody_knows_is_missing_and_no_error(gcp, run, job):
    async def use(provider):
        id_ = await provider.submit(job())
        gcp.lose(id_)
        await provider.stop([id_, "somebody-elses"])
        return await provider.states([id_, "somebody-elses"])

    assert run(use) == {}


@pytest.mark.parametrize("count", [1, 6], ids=["one by one", "by lists"])
def test_a_region_that_is_silent_makes_its_own_jobs_unknown_and_no_others(gcp, run, job, count):

    async def use(provider):
        ids = [await provider.submit(job(number)) for number in range(count)]
        there = [f"us-east1/{job(number).name}" for number in range(50, 50 + count)]
        for id_ in there:
            asked = {"jobId": id_.rpartition("/")[2], "requestId": "0" * 7 + "1" * 25}
            definition = gcp.job(ids[0]).definition
            location = {"location": {"allowedLocations": ["regions/us-east1"]}}
            allocation = definition["allocationPolicy"] | location
            gcp.create("us-east1", asked, definition | {"allocationPolicy": allocation})
        gcp.silent.add("us-central1")
        states = await provider.states([*ids, *there])
        return [states[id_].phase for id_ in ids], [states[id_].phase for id_ in there]

    first, second = run(use)

    assert {*first} == {"unknown"}
    assert {*second} == {"waits"}


def test_where_no_region_answers_the_states_are_not_known(gcp, run, job):
    async def use(provider):
        id_ = await provider.submit(job())
        gcp.faults["get"].extend([busy(503)] * 4)
        await provider.states([id_])

    with pytest.raises(BackendUnavailableError, match=r"does not answer \(HTTP 503\)"):
        run(use, **ONE)


@pytest.mark.parametrize(
    ("fault", "says", "lasting"),
    [
        (busy(503), "accepts no job now", False),
        (Fault(status=403, body=b'{"error": {"message": "denied"}}'), "roles/batch.jobsEd", True),
        (Fault(status=403, body=b'{"error": {"message": "has not been used"}}'), "enable", True),
        (Fault(status=404, body=b"{}"), "GCP_PROJECT", True),
        (Fault(status=400, body=b'{"error": {"message": "bad"}}'), "HTTP 400: bad", True),
    ],
)
def test_a_job_that_is_not_accepted_says_what_to_do(  # noqa: PLR0913, PLR0917  # a case's parts
    gcp, run, job, told, fault, says, lasting
):
    async def use(provider):
        await provider.submit(job())

    gcp.faults["create"].extend([fault] * 4)
    with pytest.raises(BackendUnavailableError, match=says) as caught:
        run(use, **ONE)

    assert caught.value.lasting is lasting
    assert TOKEN not in told(caught.value)
    assert SIGNED not in told(caught.value)


def test_a_job_of_which_nobody_knows_whether_it_arrived_is_withdrawn(gcp, run, job):
    """Nobody has its id, so nobody would ever stop it."""

    async def use(provider):
        with pytest.raises(BackendUnavailableError):
            await provider.submit(job())

    gcp.faults["create"].extend([LOST_ANSWER, *[busy(503)] * 3])
    run(use, **ONE)

    assert gcp.job(job().name).state == "CANCELLED"


def test_a_job_whose_run_is_stopped_while_it_is_created_is_withdrawn(gcp, run, job):
    """It has arrived, and its answer has not."""

    async def use(provider):
        arrived, create = asyncio.Event(), provider._client.create

        async def without_an_answer(*asked):
            await create(*asked)
            arrived.set()
            await asyncio.Event().wait()

        provider._client.create = without_an_answer
        submission = asyncio.create_task(provider.submit(job()))
        await arrived.wait()
        submission.cancel()
        await asyncio.gather(submission, return_exceptions=True)

    run(use, **ONE)

    assert gcp.job(job().name).state == "CANCELLED"


def test_a_submission_that_takes_too_long_is_refused_and_withdrawn(gcp, run, job, monkeypatch):
    """Other processes would abandon its attempts after 60 s."""
    monkeypatch.setattr(provider_module, "SUBMIT_SECONDS", 0.0)

    async def use(provider):
        with pytest.raises(BackendUnavailableError, match="no answer within"):
            await provider.submit(job())

    run(use, **ONE)

    assert not [one for one in gcp.jobs.values() if one.state != "CANCELLED"]


def test_a_region_that_may_not_be_read_keeps_no_job_from_the_others(gcp, run, job):
    async def use(provider):
        return await provider.submit(job())

    forbidden = Fault(status=400, body=b'{"error": {"message": "no such location"}}')
    gcp.faults["get"].extend([forbidden] * 3)

    assert run(use) == f"us-central1/{job().name}"


def test_a_region_that_refuses_a_job_is_left_out(gcp, run, job):
    async def use(provider):
        return await provider.submit(job())

    gcp.faults["create"].append(Fault(status=400, body=b'{"error": {"message": "no such type"}}'))

    assert run(use) == f"europe-west4/{job().name}"


def test_a_job_may_be_stopped_twice_and_one_that_ended_too(gcp, run, job):
    async def use(provider):
        id_ = await provider.submit(job())
        await provider.stop([id_])
        await provider.stop([id_])
        return await provider.states([id_])

    (state,) = run(use).values()

    assert state.phase == "ended"
    assert (state.report.status, state.report.code) == ("CANCELLED", "cancelled")


def test_a_job_that_cannot_be_stopped_is_only_logged(gcp, run, job, caplog):
    async def use(provider):
        id_ = await provider.submit(job())
        gcp.faults["cancel"].append(Fault(status=403, body=b"{}"))
        await provider.stop([id_])

    run(use)

    assert "was not stopped: HTTP 403" in caplog.text


def test_a_token_that_is_refused_is_renewed_once(gcp, run, job):
    gcp.login.tokens[:] = ["ya29.old", TOKEN]

    async def use(provider):
        await provider.submit(job())
        return (await provider.health()).state

    assert run(use, **ONE) == "well"
    assert gcp.login.asked == 2


def test_many_requests_share_one_token(gcp, run, job):
    async def use(provider):
        await asyncio.gather(*(provider.submit(job(number)) for number in range(10)))

    run(use)

    assert gcp.login.asked == 1


def test_credentials_that_google_refuses_are_down_for_an_operator_to_act(gcp, run, job, told):
    gcp.login.refuses = True

    async def use(provider):
        health = await provider.health()
        with pytest.raises(
            BackendUnavailableError, match="GOOGLE_APPLICATION_CREDENTIALS"
        ) as error:
            await provider.submit(job())
        return health, error.value

    health, error = run(use)

    assert (health.state, health.lasting, error.lasting) == ("down", True, True)
    assert "PRIVATE KEY" not in told(error)


def test_no_credentials_at_all_are_down_too(gcp, run):
    async def use(provider):
        return await provider.health()

    health = run(use, google_application_credentials="/nowhere/key.json")

    assert (health.state, health.lasting) == ("down", True)
    assert "/nowhere/key.json cannot be read" in health.reason


@pytest.mark.parametrize(
    ("faults", "state", "lasting", "says"),
    [
        ([], "well", False, ""),
        ([Fault(status=403, body=b"{}")], "well", False, ""),  # of one region alone
        ([Fault(status=403, body=b"{}")] * 3, "down", True, "roles/batch.jobsEditor"),
        ([busy(503)] * 12, "down", False, "does not answer in us-central1 (HTTP 503)"),
    ],
)
def test_health_is_down_only_where_no_region_may_be_listed(  # noqa: PLR0913, PLR0917
    gcp, run, faults, state, lasting, says
):
    gcp.faults["list"].extend(faults)

    async def use(provider):
        return await provider.health()

    health = run(use)

    assert (health.state, health.lasting) == (state, lasting)
    assert says in health.reason


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("CODE_GCE_ZONE_RESOURCE_POOL_EXHAUSTED", "no free machine in us-central1"),
        ("CODE_GCE_QUOTA_EXCEEDED", "the quota of project 'escriba-test'"),
    ],
)
def test_a_lack_of_machines_or_quota_is_degraded_until_a_machine_comes(  # noqa: PLR0913, PLR0917
    gcp, run, job, clock, code, says
):
    async def use(provider):
        id_ = await provider.submit(job())
        gcp.dry_up(id_, code)
        await provider.states([id_])
        lacking = await provider.health()
        clock.now += 1_000
        return lacking, await provider.health()

    lacking, later = run(use, **ONE)

    assert lacking.state == "degraded"
    assert says in lacking.reason
    assert later.state == "well"


def test_nothing_secret_is_ever_logged(gcp, run, job, caplog):
    caplog.set_level(logging.DEBUG)

    async def use(provider):
        id_ = await provider.submit(job())
        gcp.faults["get"].extend([RESET, busy(503), HTML])
        await provider.states([id_])
        await provider.stop([id_])

    run(use)

    assert TOKEN not in caplog.text
    assert "X-Goog-Signature" not in caplog.text
    assert len(gcp.jobs) == 1
    assert REGIONS[0] in gcp.job(job().name).name
