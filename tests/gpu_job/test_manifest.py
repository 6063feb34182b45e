"""One machine, many jobs: nothing waits for a download, and nothing is done twice."""

import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path
from types import SimpleNamespace

import pytest

from gpu_job import audio_download, manifest
from gpu_job.common.settings import WorkerSettings
from gpu_job.contract import Manifest
from gpu_job.contract.packing import packed
from gpu_job.manifest import ManifestError, requests_at, requests_in, run_all
from gpu_job.stop_request import Stop, StoppedError


def quiet(**_event):
    pass


def test_the_next_audio_is_decoded_while_this_job_is_computed(jobs, fake_models, monkeypatch):
    order, decoded = [], threading.Event()
    real = audio_download.prepare

    def prepares(request, check):
        order.append(f"decode {request.attempt}")
        prepared = real(request)
        if request.attempt == 2:
            decoded.set()
        return prepared

    monkeypatch.setattr(audio_download, "prepare", prepares)

    def computes(fake):
        order.append("compute")
        assert decoded.wait(60)  # the second is decoded although the first is not done

    run_all(jobs(2), fake_models(computes), quiet, Stop())

    assert order.index("decode 2") < len(order) - order[::-1].index("compute")
    assert order.count("decode 1") == order.count("decode 2") == 1


def test_a_job_that_has_its_result_is_not_even_fetched(jobs, fake_models, job, monkeypatch):
    requests = jobs(3)
    run_all(requests[1:2], fake_models(), quiet, Stop())
    fetched, real = [], audio_download.prepare
    monkeypatch.setattr(
        audio_download, "prepare", lambda r, _: (fetched.append(r.attempt), real(r))[1]
    )

    outcomes = run_all(requests, fake_models(), quiet, Stop())

    assert [outcome.state for outcome in outcomes] == ["done", "duplicate", "done"]
    assert fetched == [1, 3]


def test_the_jobs_of_many_long_recordings_fit_into_a_manifest(jobs, tmp_path):
    path, requests = tmp_path / "manifest.json", jobs(2)
    whole = Manifest(requests=tuple(requests)).model_dump_json().encode()
    path.write_bytes(packed(whole[:-1] + b" " * (100 << 20) + b"}"))

    assert [one.nonce for one in requests_at(str(path))] == [one.nonce for one in requests]


def test_a_job_that_fails_costs_no_other(jobs, fake_models, job):
    good, bad, last = jobs(3)
    bad = bad.model_copy(update={"audio_sha256": "0" * 64})

    outcomes = run_all((good, bad, last), fake_models(), quiet, Stop())

    assert [outcome.state for outcome in outcomes] == ["done", "failed", "done"]
    assert outcomes[1].error.code == "audio_changed"


def test_a_process_that_must_not_go_on_leaves_the_rest_to_the_next(jobs, fake_models):
    models = fake_models()
    models.retirement._after_jobs = 2

    outcomes = run_all(jobs(4), models, quiet, Stop())

    assert len(outcomes) == 2
    assert outcomes[-1].retire == "2 jobs are done"


def test_an_empty_manifest_is_done_without_a_model(tmp_path):
    assert manifest.process_all((), WorkerSettings(tmp_path, model="no-such-model")) == 0


def test_a_notice_stops_the_manifest_too(jobs, fake_models):
    stop = Stop()

    outcomes = run_all(jobs(3), fake_models(lambda _: stop.request("preempted")), quiet, stop)

    assert [outcome.state for outcome in outcomes] == ["stopped"]


def test_a_machine_that_is_taken_away_ends_its_manifest_with_a_status_of_its_own(
    jobs, fake_models, monkeypatch
):
    """The notice comes from the cloud that the settings name, while a job is computed."""
    given = threading.Event()
    cloud = SimpleNamespace(every_seconds=0.01, is_given=given.is_set)
    monkeypatch.setattr(manifest, "source_of", lambda kind, _: cloud if kind == "aws" else None)
    stops = []

    def notice(fake):
        given.set()
        assert stops[0].wait(60)

    def loads(_settings):
        return fake_models(notice)

    monkeypatch.setattr(manifest, "load_models", loads)
    monkeypatch.setattr(manifest, "Stop", lambda: stops.append(Stop()) or stops[-1])

    status = manifest.process_all(jobs(2), WorkerSettings(Path(), spot_notices="aws"))

    assert status == manifest.STOPPED_EXIT


@pytest.mark.parametrize("large", [False, True])
def test_a_manifest_is_read_from_a_path_an_address_compressed_or_not(jobs, tmp_path, large):
    requests = jobs(2) * (300 if large else 1)
    body = Manifest(requests=requests).model_dump_json().encode()
    path = tmp_path / "manifest.json"
    path.write_bytes(packed(body))

    assert (path.read_bytes()[:1] != b"{") == large
    assert requests_at(str(path)) == requests_at(path.as_uri()) == requests


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (None, "does not exist"),
        (b"{", "is not a manifest of this worker's version"),
        (b'{"requests": [{"job": 1}]}', "requests.0"),
        (b"\x1f\x8b", "is not a manifest of this worker's version"),
    ],
)
def test_what_is_no_manifest_is_named(tmp_path, body, what):
    path = tmp_path / "manifest.json"
    if body is not None:
        path.write_bytes(body)

    with pytest.raises(ManifestError, match=what):
        requests_at(str(path))


def test_an_address_that_fails_is_told_without_its_secret():
    with pytest.raises(ManifestError) as failed:
        requests_at("http://127.0.0.1:9/manifest?X-Amz-Signature=abc")

    assert "Signature" not in str(failed.value)
    assert failed.value.__suppress_context__


def test_a_request_file_that_is_none_is_named(tmp_path):
    path = tmp_path / "request.json"
    path.write_text("{}")

    with pytest.raises(
        ManifestError, match=r"request\.json is not a job request: it has .*\(job: "
    ):
        requests_in([path])


@pytest.mark.parametrize("why", ["stopped", "retired"])
def test_a_job_that_is_not_to_be_done_any_more_is_not_fetched_to_its_end(
    jobs, fake_models, monkeypatch, why
):
    ends, stop, until = [], Stop(), time.monotonic() + 60
    real = audio_download.prepare
    begun = threading.Event()

    def prepares(request, check):
        if request.attempt == 1:
            return real(request, check)
        begun.set()
        try:
            while time.monotonic() < until:
                check()
            raise AssertionError("nobody said that it may cease")
        except (StoppedError, CancelledError):
            ends.append(request.attempt)

    def computes(_fake):
        assert begun.wait(60)
        if why == "stopped":
            stop.request("preempted")

    monkeypatch.setattr(audio_download, "prepare", prepares)
    models = fake_models(computes)
    models.retirement._after_jobs = 1

    assert len(run_all(jobs(3), models, quiet, stop)) == 1
    assert ends == [2]
