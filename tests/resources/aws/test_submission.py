"""A manifest's job is submitted once, whatever becomes of an answer."""

import logging

import pytest

from escriba.errors import BackendUnavailableError
from resources.gpu.aws.answers import RefusedError
from resources.gpu.aws.job_request import submit_request
from tests.fake_aws_batch_answers import (
    BROKEN,
    DENIED,
    HTML,
    LOST_ANSWER,
    RESET,
    THROTTLED,
    TOO_MANY,
)
from tests.resources.aws.conftest import KEY, SIGNED

REFUSED_AT_ONCE = {"429": TOO_MANY, "throttled": THROTTLED}
UNKNOWN = {"reset": RESET, "lost answer": LOST_ANSWER, "500": BROKEN, "html": HTML}


def told(error):
    """All that may be printed of an exception, its causes and contexts too."""
    parts = []
    while error is not None:
        parts += [repr(error), str(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return " ".join(parts)


def test_a_job_gets_one_address_its_time_and_its_tags(batch, submit, machine_job):
    id_ = submit(machine_job(tenant="acme, São Paulo <1>"))

    asked = batch.jobs[id_].request
    assert asked["containerOverrides"] == {
        "command": ["python", "-m", "gpu_job", "--manifest", SIGNED],
        "environment": [{"name": "SPOT_NOTICES", "value": "aws"}],
    }
    assert (asked["jobQueue"], asked["jobDefinition"]) == ("spot", "worker")
    assert asked["timeout"] == {"attemptDurationSeconds": 3_600 + 120}
    assert asked["tags"] == {
        "application": "escriba",
        "escriba-job": asked["jobName"],
        "tenant": "acme- São Paulo -1-",
    }
    assert asked["propagateTags"] is True


def test_a_job_whose_name_exists_is_found_and_not_submitted(batch, submit, machine_job):
    first = submit(machine_job("manifest-1"))
    second = submit(machine_job("manifest-1"))
    another = submit(machine_job("manifest-10"))

    assert second == first != another
    assert batch.count("submitjob") == 2


@pytest.mark.parametrize("lag", [0, 2])
def test_a_job_whose_answer_was_lost_is_found_by_its_name(batch, submit, slept, lag):
    batch.faults["submitjob"].append(LOST_ANSWER)
    batch.list_lag = lag

    id_ = submit()

    assert [*batch.jobs] == [id_]
    assert slept.long == [1.0, 2.0, 4.0][: lag + 1]


@pytest.mark.parametrize("fault", UNKNOWN.values(), ids=UNKNOWN)
def test_a_submission_without_an_answer_is_looked_for_before_it_is_repeated(batch, submit, fault):
    batch.faults["submitjob"].append(fault)

    id_ = submit()

    assert [*batch.jobs] == [id_]
    assert batch.count("listjobs") >= 2


@pytest.mark.parametrize("fault", REFUSED_AT_ONCE.values(), ids=REFUSED_AT_ONCE)
def test_a_throttled_submission_waits_longer_each_time_and_needs_no_look(
    batch, submit, slept, fault
):
    batch.faults["submitjob"].extend([fault] * 3)

    id_ = submit()

    assert [*batch.jobs] == [id_]
    assert slept.long == [1.0, 2.0, 4.0]
    assert batch.count("listjobs") == 1


def test_a_service_that_stays_ill_is_no_place_for_the_job(batch, submit, slept):
    batch.faults["submitjob"].extend([TOO_MANY] * 9)
    began = slept.now

    with pytest.raises(BackendUnavailableError, match="accepts no job now") as error:
        submit()

    assert not error.value.lasting
    assert batch.count("submitjob") == 4
    assert slept.now - began < 15  # an attempt that is not submitted in 60 s is abandoned


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"aws_access_key_id": "AKIAOTHER"}, "AWS_ACCESS_KEY_ID"),
        ({"queue": "elsewhere"}, "AWS_BATCH_QUEUES"),
    ],
)
def test_what_is_refused_names_the_setting_and_lasts(submit, changes, says):
    with pytest.raises(BackendUnavailableError, match=says) as error:
        submit(**changes)

    assert error.value.lasting


def test_without_credentials_no_request_leaves(batch, submit):
    with pytest.raises(BackendUnavailableError, match="AWS_ACCESS_KEY_ID"):
        submit(aws_access_key_id="", aws_secret_access_key="")

    assert batch.requests == []


def test_a_missing_permission_is_named(batch, submit):
    batch.faults["submitjob"].append(DENIED)

    with pytest.raises(BackendUnavailableError, match="permission") as error:
        submit()

    assert error.value.lasting


def test_an_address_that_is_too_long_is_not_sent(batch, submit, machine_job):
    with pytest.raises(BackendUnavailableError, match="session token") as error:
        submit(machine_job(url=SIGNED + 20_000 * "a"))

    assert "aaaa" not in told(error.value)
    assert batch.requests == []


def test_aws_batch_refuses_overrides_of_20_kb(ask, machine_job):
    request = submit_request(machine_job(), "spot", "worker")
    request["containerOverrides"]["environment"] += [{"name": "MORE", "value": 20_000 * "a"}]

    with pytest.raises(RefusedError, match="8192"):
        ask(lambda provider: provider._client.call_once("submit_job", **request))


@pytest.mark.parametrize("fault", [RESET, BROKEN, DENIED, HTML])
def test_no_error_and_no_log_has_the_address_or_the_key(batch, submit, caplog, fault):
    caplog.set_level(logging.DEBUG)
    batch.faults["submitjob"].extend([fault] * 9)

    with pytest.raises(BackendUnavailableError) as error:
        submit()

    for text in (told(error.value), caplog.text):
        assert "0123456789" not in text
        assert KEY not in text
