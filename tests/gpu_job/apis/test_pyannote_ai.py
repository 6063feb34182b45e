"""Speakers by pyannoteAI, on a server of our own: a job is bought once, whatever is killed."""

import itertools

import httpx
import pytest

from gpu_job import transfer
from gpu_job.apis.pyannote_ai import PyannoteAi
from gpu_job.apis.pyannote_ai_client import MOST_TRIES, PyannoteAiClient
from gpu_job.contract import JobOptions, Lease, Speakers
from gpu_job.job import run_job
from gpu_job.models import Models
from gpu_job.session import WorkerSession
from tests.fake_pyannote_ai import CUT, LOST, FakePyannoteAi, Fault, busy

KEY = "pyannote-SECRET"
OPTIONS = JobOptions(
    model="", task="diarize", diarizer="pyannote_ai", diarization_model="precision-2"
)


class Killed(BaseException):
    """The process ends here; nothing of it runs any more."""


@pytest.fixture
def service():
    with FakePyannoteAi(KEY) as service:
        yield service


@pytest.fixture
def waited():
    """The seconds of all waits, which take no time."""
    return []


@pytest.fixture
def worker(service, waited):
    """Runs an attempt with a fresh worker."""

    def run(request, **changes):
        client = PyannoteAiClient(f"{service.root}/v1", KEY, sleep=waited.append, dice=lambda: 0.5)
        how = {"poll_seconds": 10.0} | changes
        models = Models(
            transcriber=None,
            session=WorkerSession("worker-1", buys=True),
            diarizer_kind="pyannote_ai",
            diarization_model="precision-2",
            speaker_service=PyannoteAi(client, "precision-2", **how),
        )
        told = []
        return run_job(request, models, told.append), told

    return run


def test_turns_come_back_in_order_of_appearance_and_there_is_no_word(job, worker, service):
    outcome, told = worker(job.request(options=OPTIONS))

    assert outcome.state == "done"
    found = job.result()
    assert (found.segments, found.diarizer) == ((), "pyannote_ai")
    turns = [(turn.start_ms, turn.end_ms, turn.speaker) for turn in found.turns]
    assert turns == [(0, 600, "SPEAKER_00"), (500, 1000, "SPEAKER_01")]
    assert [turn.end_ms for turn in found.exclusive_turns] == [500, 1000]
    assert told[-1] == 900
    assert service.bills == {"job-1": 20}
    assert found.usage.timings.transcribe_seconds == 0


def test_a_plain_signed_url_is_passed_on_and_nothing_is_uploaded(s3_job, worker, service):
    request = s3_job.request(options=OPTIONS)

    assert worker(request)[0].state == "done"

    [one] = service.jobs.values()
    assert one.body == {
        "url": request.addresses.audio.url,
        "model": "precision-2",
        "exclusive": True,
    }
    assert service.requests["upload"] == 0


def test_audio_that_a_plain_url_does_not_read_is_uploaded_whole(job, s3_job, worker, service):
    assert worker(s3_job.request(options=OPTIONS), upload=True)[0].state == "done"
    assert worker(job.request(options=OPTIONS))[0].state == "done"

    assert [one.body["url"] for one in service.jobs.values()] == ["media://escriba/" + "a" * 64] * 2
    assert service.requests["upload"] == 2


@pytest.mark.parametrize(
    ("speakers", "sent"),
    [
        (Speakers(exact=2, minimum=1), {"numSpeakers": 2}),
        (Speakers(minimum=2, maximum=3), {"minSpeakers": 2, "maxSpeakers": 3}),
        (Speakers(maximum=3), {"maxSpeakers": 3}),
    ],
)
def test_a_known_number_of_speakers_is_passed_on(job, worker, service, speakers, sent):
    worker(job.request(options=OPTIONS.model_copy(update={"speakers": speakers})))

    [one] = service.jobs.values()
    assert {name: value for name, value in one.body.items() if name.endswith("Speakers")} == sent


def kill_at(monkeypatch, step, *, after):
    """Kill the worker at its n-th request or write, before it or just after it."""
    steps = itertools.count()

    def counted(real):
        def call(*arguments, **named):
            n = next(steps)
            if n == step and not after:
                raise Killed
            done = real(*arguments, **named)
            if n == step and after:
                raise Killed
            return done

        return call

    monkeypatch.setattr(httpx, "request", counted(httpx.request))
    monkeypatch.setattr(httpx, "put", counted(httpx.put))
    monkeypatch.setattr(transfer, "put", counted(transfer.put))


@pytest.mark.parametrize("kill", list(itertools.product(range(12), [False, True])), ids=str)
def test_a_kill_at_any_step_bills_nothing_twice_once_the_id_is_stored(
    job, worker, service, monkeypatch, kill
):
    with monkeypatch.context() as patched:
        kill_at(patched, kill[0], after=kill[1])
        try:
            worker(job.request(1, options=OPTIONS))
            killed = False
        except Killed:
            killed = True
    is_stored = job.storage.read("partial-1.json") is not None
    submitted = len(service.jobs)

    worker(job.request(2, options=OPTIONS))

    assert job.result().turns
    assert submitted <= 1
    if is_stored or not killed:
        assert len(service.jobs) == len(service.bills) == 1
    assert bought_ms(job, 2) == 20_000
    assert len(service.jobs) <= 2, "at most the one submission in flight is repeated"


def bought_ms(job, attempts):
    """What all attempts bought, as the ledger reads it; a second of audio is billed as 20."""
    result, bought = job.result(), 0
    for number in range(1, attempts + 1):
        body = job.storage.read(f"claim-{number}.json")
        lease = None if body is None else Lease.model_validate_json(body)
        usage = result.usage if result.attempt == number else lease and lease.usage
        bought += usage.bought_ms if usage else 0
    return bought


def test_two_hundred_kills_while_it_waits_bill_one_job(job, worker, service):
    service.looks = 10_000

    for number in range(1, 200):
        waits = itertools.count()

        def sleep(_seconds, waits=waits):
            if next(waits) == 3:
                raise Killed

        with pytest.raises(Killed):
            worker_with(service, sleep, job.request(number, options=OPTIONS))
        if number > 1:
            job.storage.write(f"partial-{number}.json", job.storage.read("partial-1.json"))
    service.jobs["job-1"].looks = 1
    assert worker(job.request(200, options=OPTIONS))[0].state == "done"

    assert list(service.bills) == ["job-1"]


def worker_with(service, sleep, request):
    client = PyannoteAiClient(f"{service.root}/v1", KEY, sleep=sleep)
    models = Models(
        transcriber=None,
        diarizer_kind="pyannote_ai",
        diarization_model="precision-2",
        speaker_service=PyannoteAi(client, "precision-2", 10.0),
    )
    return run_job(request, models, lambda _: None)


@pytest.mark.parametrize("ends", ["failed", "canceled"])
def test_a_job_that_fails_there_fails_the_attempt_and_the_next_one_submits_another(
    job, worker, service, ends
):
    service.ends.append(ends)

    outcome, _ = worker(job.request(1, options=OPTIONS))

    assert (outcome.state, outcome.error.permanent) == ("failed", False)
    assert f"pyannoteAI's job {ends}: the models are tired" in outcome.error.message
    assert service.bills == {}
    assert job.claim(1).usage.bought_ms == 0
    assert worker(job.request(2, options=OPTIONS))[0].state == "done"
    assert list(service.bills) == ["job-2"]
    assert bought_ms(job, 2) == 20_000


@pytest.mark.parametrize("gone", ["output", "job"])
def test_an_output_that_was_deleted_is_bought_again_and_the_result_says_so(
    job, worker, service, monkeypatch, gone
):
    with monkeypatch.context() as patched:
        patched.setattr(httpx, "request", killed_at_result(httpx.request))
        with pytest.raises(Killed):
            worker(job.request(1, options=OPTIONS))
    assert list(service.bills) == ["job-1"]
    if gone == "output":
        service.delete_outputs()
    else:
        service.jobs = {"older": service.jobs["job-1"]}

    assert worker(job.request(2, options=OPTIONS))[0].state == "done"

    assert [warning.code for warning in job.result().warnings] == ["bought_again"]
    assert list(service.bills) == ["job-1", "job-2"]
    assert bought_ms(job, 2) == 40_000


def killed_at_result(real):
    """The process dies when the job is over, before its turns are written."""

    def call(method, url, **named):
        answer = real(method, url, **named)
        if b'"succeeded"' in answer.content:
            raise Killed
        return answer

    return call


@pytest.mark.parametrize("operation", ["diarize", "job", "media"])
def test_a_limit_of_requests_is_waited_for_as_long_as_is_asked(
    job, worker, service, waited, operation
):
    service.faults[operation].extend([busy(Retry_After="7"), busy()])

    assert worker(job.request(options=OPTIONS))[0].state == "done"

    assert len(service.bills) == 1
    assert 7 <= sum(waited) < 60


def test_a_broken_answer_to_a_look_is_asked_for_again(job, worker, service):
    service.faults["job"].extend([CUT, LOST, Fault(200, b"[]"), Fault(503)])

    assert worker(job.request(options=OPTIONS))[0].state == "done"
    assert len(service.bills) == 1


def test_an_unknown_state_is_no_end(job, worker, service):
    service.faults["job"].append(Fault(200, b'{"status": "queued-in-space"}'))

    assert worker(job.request(options=OPTIONS))[0].state == "done"


@pytest.mark.parametrize("fault", [CUT, LOST])
def test_a_submission_without_an_answer_is_repeated_and_the_result_says_so(
    job, worker, service, fault
):
    service.faults["diarize"].append(fault)

    assert worker(job.request(options=OPTIONS))[0].state == "done"

    assert [warning.code for warning in job.result().warnings] == ["unclear_submission"]
    assert len(service.jobs) == 2
    assert list(service.bills) == ["job-2"], "nobody reads the first one"
    assert job.result().usage.bought_ms == 40_000, "the first one may be billed"


def test_submissions_that_never_get_an_answer_are_few(job, worker, service):
    service.faults["diarize"].extend([LOST] * 9)

    outcome, _ = worker(job.request(options=OPTIONS))

    assert outcome.error.message == "PyannoteAI answered 502 after 3 requests."
    assert len(service.jobs) == 3
    assert job.claim(1).usage.bought_ms == 60_000, "each of them may be billed"


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        (Fault(401, b'{"message": "Unauthorized"}'), ("api_refused", "PYANNOTE_AI_API_KEY")),
        (Fault(402, b'{"message": "No credit"}'), ("api_refused", "Add credit to the account")),
        (Fault(400, b'{"message": "bad model"}'), ("internal", "bad model")),
    ],
)
def test_a_refusal_is_final_and_only_one_of_the_account_holds_for_other_jobs(
    job, worker, service, fault, refusal
):
    service.faults["diarize"].append(fault)

    outcome, _ = worker(job.request(options=OPTIONS))

    assert outcome.error.code == refusal[0]
    assert refusal[1] in outcome.error.message
    assert service.requests["diarize"] == 1


def test_a_service_that_nobody_reaches_ends_the_attempt_and_tells_no_address(job, worker, service):
    service.faults["job"].extend([busy(503)] * MOST_TRIES)

    outcome, _ = worker(job.request(options=OPTIONS))

    assert (outcome.state, outcome.error.code) == ("failed", "internal")
    assert "://" not in outcome.error.message
    assert worker(job.request(2, options=OPTIONS))[0].state == "done"
    assert len(service.bills) == 1


def test_neither_the_key_nor_an_address_is_in_what_is_shown(job, worker, service):
    leaks = b'{"message": "key pyannote-SECRET of https://bucket/audio?signature=SECRET"}'
    service.faults["diarize"].append(Fault(400, leaks))

    outcome, _ = worker(job.request(options=OPTIONS))

    assert "SECRET" not in outcome.error.message
    assert "SECRET" not in repr(PyannoteAiClient("https://api", KEY))


def test_looks_are_ten_seconds_apart(job, worker, service, waited):
    service.looks = 4

    worker(job.request(options=OPTIONS))

    assert sum(waited) == 3 + 3 * 10


def test_a_job_for_another_model_or_with_words_is_not_for_this_worker(job, worker):
    other = OPTIONS.model_copy(update={"diarization_model": "community-1"})
    words = JobOptions(model="demo", diarizer="none")

    assert worker(job.request(1, options=other))[0].error.code == "model_missing"
    assert worker(job.request(2, options=words))[0].error.code == "model_missing"
