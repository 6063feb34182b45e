"""What is sent to RunPod, and what becomes of every kind of answer."""

import asyncio
import json
import logging
import socket
from decimal import Decimal

import pytest

from escriba.billing.quotes import Quote
from escriba.errors import BackendUnavailableError, RecordingError
from gpu_job.contract import JobLimits
from resources.gpu.job_folder import Submission
from resources.gpu.runpod import client as client_module
from resources.http.json_requests import readable, retry_after_seconds
from tests.fake_runpod import CUT, GARBAGE, HTML, LOST_ANSWER, RESET, Fault, busy
from tests.resources.runpod.conftest import KEY, NOON, SIGNED

QUOTE = Quote("runpod", "l4", Decimal("0.01"), 600.0, 630.0, "planned")
PASSING = {
    "reset": RESET,
    "cut": CUT,
    "lost answer": LOST_ANSWER,
    "500": busy(500),
    "502 with HTML": Fault(status=502, body=b"<html>bad gateway</html>"),
    "html": HTML,
    "truncated": GARBAGE,
    "no id": Fault(status=200, body=b"{}"),
    "a list": Fault(status=200, body=b"[]"),
    "429": busy(429),
    "408": busy(408),
}
FINAL = {
    401: "RUNPOD_API_KEY",
    403: "RUNPOD_API_KEY",
    404: "RUNPOD_ENDPOINT_ID",
    400: "refuses the job",
    302: "refuses the job",
}


def told(error):
    """All that may be printed of an exception, its causes and contexts too."""
    parts = []
    while error is not None:
        parts += [repr(error), str(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return " ".join(parts)


async def submit(backend, request):
    async with backend.slot():
        try:
            return await backend.submit(request, QUOTE, lambda _: None)
        finally:
            await backend.close()


def test_a_job_is_handed_over_with_its_limits(runpod, backend_of, new_request):
    request = new_request(regions=3)

    submission = asyncio.run(submit(backend_of(), request))

    job = runpod.jobs[submission.provider_id]
    # beside them three minutes, in which its worker stops by itself and keeps what it has done
    assert job.policy == {"executionTimeout": 7_380_000, "ttl": 28_980_000}
    assert type(request).model_validate(job.input) == request
    assert "language" not in job.input["options"]  # what is None is not sent


def test_a_request_without_limits_has_those_of_the_settings(runpod, backend_of, new_request):
    backend = backend_of(job_timeout_seconds=600, queue_limit_seconds=60)

    submission = asyncio.run(submit(backend, new_request(limits=JobLimits())))

    job = runpod.jobs[submission.provider_id]
    assert job.policy == {"executionTimeout": 780_000, "ttl": 840_000}


def test_a_day_with_ten_thousand_regions_of_speech_is_far_below_the_limit(new_request):
    body = client_module.payload(new_request(regions=10_000), 7_200, 21_600)

    assert len(body) < 600_000


def test_a_request_that_runpod_would_not_take_fails_alone_and_says_why(new_request, monkeypatch):
    monkeypatch.setattr(client_module, "PAYLOAD_BYTES", 1_000)

    with pytest.raises(RecordingError, match="2 speech regions") as failed:
        client_module.payload(new_request(regions=2), 7_200, 21_600)

    assert not failed.value.permanent


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_trouble_that_passes_is_tried_again_later_and_later(
    runpod, backend_of, new_request, slept, fault
):
    runpod.faults["run"].extend([fault] * 3)

    submission = asyncio.run(submit(backend_of(), new_request()))

    assert submission.provider_id in runpod.jobs
    assert runpod.count("run") == 4
    assert slept.long == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_trouble_that_does_not_pass_is_no_lasting_refusal(runpod, backend_of, new_request, fault):
    runpod.faults["run"].extend([fault] * 4)

    with pytest.raises(BackendUnavailableError, match="accepts no job now") as failed:
        asyncio.run(submit(backend_of(), new_request()))

    assert not failed.value.lasting
    assert runpod.count("run") == 4


def test_an_endpoint_that_nobody_serves_is_unavailable(backend_of, new_request):
    with socket.socket() as nobody:  # bound, and not listening
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/v2"
        with pytest.raises(BackendUnavailableError, match="ConnectError") as failed:
            asyncio.run(submit(backend_of(runpod_api_url=url), new_request()))

    assert not failed.value.lasting


def test_an_answer_that_never_comes_is_trouble(runpod, backend_of, new_request, monkeypatch):
    monkeypatch.setattr(client_module, "_TIMEOUT", client_module.httpx.Timeout(0.2))
    runpod.faults["run"].append(Fault("hold"))

    submission = asyncio.run(submit(backend_of(), new_request()))

    assert submission.provider_id in runpod.jobs


@pytest.mark.parametrize("status", FINAL)
def test_a_refusal_is_final_at_once_and_says_what_to_do(
    runpod, backend_of, new_request, slept, status
):
    runpod.faults["run"].append(Fault(status=status, body=b'{"error": "no such thing"}'))

    with pytest.raises(BackendUnavailableError, match=FINAL[status]) as failed:
        asyncio.run(submit(backend_of(), new_request()))

    assert failed.value.lasting
    assert (runpod.count("run"), slept.long) == (1, [])


def test_a_wrong_key_is_refused(backend_of, new_request):
    with pytest.raises(BackendUnavailableError, match="RUNPOD_API_KEY") as failed:
        asyncio.run(submit(backend_of(runpod_api_key="another"), new_request()))

    assert failed.value.lasting


@pytest.mark.parametrize("header", ["7", "Sun, 01 Mar 2026 12:00:07 GMT"])
def test_whoever_is_told_to_wait_waits(runpod, backend_of, new_request, slept, header):
    runpod.faults["run"].append(busy(429, Retry_After=header))

    asyncio.run(submit(backend_of(), new_request()))

    assert 7.0 <= slept.now < 9.0


def test_a_wait_that_is_too_long_is_left_to_the_next_run(runpod, backend_of, new_request, slept):
    runpod.faults["run"].append(busy(503, Retry_After="3600"))

    with pytest.raises(BackendUnavailableError) as failed:
        asyncio.run(submit(backend_of(), new_request()))

    assert not failed.value.lasting
    assert slept.now < 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("12", 12.0),
        (" 12 ", 12.0),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-3", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert retry_after_seconds(header, NOON) == seconds


def test_somebody_elses_text_is_short_and_without_addresses_and_keys():
    text = f"see {SIGNED} or\n/x?Signature=1&x=2 with Bearer {KEY} and {KEY} " + "x" * 999

    said = readable(text, KEY)

    assert "Signature" not in said
    assert "://" not in said
    assert KEY not in said
    assert "\n" not in said
    assert len(said) == 300


@pytest.mark.parametrize(
    "fault",
    [*PASSING.values(), *(Fault(status=status, body=SIGNED.encode()) for status in FINAL)],
)
def test_no_fault_shows_an_address_or_the_key(runpod, backend_of, new_request, caplog, fault):
    caplog.set_level(logging.DEBUG)
    reflecting = json.dumps({"error": f"bad {SIGNED} for Bearer {KEY}"}).encode()
    fault = fault if fault.status == 200 else Fault(**(vars(fault) | {"body": reflecting}))

    async def go():
        backend = backend_of()
        for verb in ("run", "health", "cancel"):
            runpod.faults[verb].extend([fault] * 4)
        runpod.faults["status"].append(fault)
        health = await backend.health()
        await backend.cancel(Submission(provider_id="job-9"))
        await backend.poll(Submission(provider_id="job-9"), 0.2)
        with pytest.raises(BackendUnavailableError) as failed:
            await submit(backend, new_request())
        return health.reason + told(failed.value)

    shown = asyncio.run(go()) + caplog.text

    assert KEY not in shown
    assert "Signature" not in shown
    assert "127.0.0.1" not in shown
