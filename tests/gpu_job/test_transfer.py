"""A worker at each store: it sends what its addresses say, and knows the stores' answers."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gpu_job import lease_ownership, transfer
from gpu_job.contract import Address, JobAddresses, JobResult, Lease
from gpu_job.job import run_job
from gpu_job.lease_ownership import LeaseOwnership
from gpu_job.stop_request import Stop
from tests.loopback import Answering

# how each store asks for "create only", what else it wants, and what it says where one exists;
# paid-once.md, the table of addresses
DIALECTS = {
    "S3": ({"If-None-Match": "*"}, {}, 412),
    "S3 in a race": ({"If-None-Match": "*"}, {}, 409),
    "GCS": ({"x-goog-if-generation-match": "0"}, {}, 412),
    "Azure": ({"If-None-Match": "*"}, {"x-ms-blob-type": "BlockBlob"}, 409),
}
EXPIRED = {
    "S3, its URL": (403, b"<Code>AccessDenied</Code><Message>Request has expired</Message>"),
    "S3, its signer's session": (400, b"<Code>ExpiredToken</Code>"),
    "rclone": (400, b"<Code>AccessDenied</Code><Message>The difference between"),
    "GCS": (400, b"<Code>ExpiredToken</Code><Details>The provided token has expired.</Details>"),
    "Azure": (403, b"<Code>AuthenticationFailed</Code>"),
}


class Handler(Answering, BaseHTTPRequestHandler):
    """A store that is strict about its headers, and can be cut off or say that URLs expired."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        store = self.server
        if store.expired and self.path[1:] in store.expired_names:
            return self.answer(*store.expired)
        body = store.objects.get(self.path[1:])
        return self.answer(404 if body is None else 200, body or b"")

    def do_PUT(self):
        store, name = self.server, self.path[1:]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        create, always, exists = store.dialect
        if store.is_cut_off():
            return self.answer(503)
        if any(self.headers.get(header) != value for header, value in always.items()):
            return self.answer(400)
        if name in store.objects and all(self.headers.get(h) == v for h, v in create.items()):
            return self.answer(exists)
        store.objects[name] = body
        return self.answer(201)


@pytest.fixture
def store(request):
    """A store of one kind, on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.dialect = DIALECTS[getattr(request, "param", "S3")]
        server.objects, server.expired, server.expired_names = {}, None, set()
        server.is_cut_off = lambda: False
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def request_at(store, job):
    """The n-th attempt at the job, with addresses at that store."""
    create, always, _ = store.dialect
    local = job.request().addresses.audio.url.removeprefix("file://")
    store.objects["audio"] = Path(local).read_bytes()
    store.objects["audio.flac"] = store.objects["audio"]

    def address(method, name, headers=None):
        url = f"http://127.0.0.1:{store.server_port}/{name}"
        return Address(method=method, url=url, headers=headers or {})

    def make(attempt=1):
        claim = f"claim-{attempt}"
        addresses = JobAddresses(
            audio=address("GET", "audio.flac"),
            result_read=address("GET", "result"),
            result_create=address("PUT", "result", always | create),
            claim_read=address("GET", claim),
            claim_create=address("PUT", claim, always | create),
            claim_beat=address("PUT", claim, always),
            partial_write=address("PUT", f"partial-{attempt}", always),
            partial_read=address("GET", f"partial-{attempt - 1}"),
        )
        return job.request(attempt=attempt, addresses=addresses)

    return make


def claim_of(store, attempt=1):
    return Lease.model_validate_json(store.objects[f"claim-{attempt}"])


def quiet(_done_ms):
    pass


every_store = pytest.mark.parametrize("store", DIALECTS, indirect=True)


@every_store
def test_a_job_is_done_once_and_its_second_delivery_leaves(store, request_at, fake_models):
    assert run_job(request_at(), fake_models(), quiet).state == "done"
    again = fake_models()

    assert run_job(request_at(2), again, quiet).state == "duplicate"
    assert again.transcriber.calls == 0
    assert claim_of(store).state == "done"
    assert len(JobResult.model_validate_json(store.objects["result"]).segments) == 2


@every_store
def test_a_claim_that_somebody_has_is_never_taken_over(store, request_at, fake_models):
    store.objects["claim-1"] = b'{"nonce": "theirs", "state": "running"}'
    models = fake_models()

    assert run_job(request_at(), models, quiet).state == "duplicate"
    assert models.transcriber.calls == 0
    assert claim_of(store).nonce == "theirs"


@every_store
def test_a_result_that_was_first_stands(store, request_at, fake_models):
    def somebody_is_first(_fake):
        store.objects["result"] = b"theirs"

    run_job(request_at(), fake_models(somebody_is_first), quiet)

    assert store.objects["result"] == b"theirs"


@every_store
def test_what_is_left_half_done_is_gone_on_with(store, request_at, fake_models):
    stop = Stop()
    first = fake_models(lambda fake: fake.heard and stop.request("preempted"))
    assert run_job(request_at(), first, quiet, stop).state == "stopped"
    assert len(first.transcriber.heard) == 1

    second = fake_models()

    assert run_job(request_at(2), second, quiet).state == "done"
    assert len(second.transcriber.heard) == 1


@pytest.mark.parametrize("kind", EXPIRED)
def test_an_address_of_the_audio_that_expired_in_the_queue_is_told_as_such(
    store, request_at, fake_models, kind
):
    store.expired, store.expired_names = EXPIRED[kind], {"audio.flac"}

    outcome = run_job(request_at(), fake_models(), quiet)

    assert (outcome.state, outcome.error.code) == ("failed", "audio_expired")
    assert not outcome.error.permanent
    assert claim_of(store).error.code == "audio_expired"


@pytest.mark.parametrize("kind", EXPIRED)
def test_where_all_addresses_expired_nothing_is_claimed_or_computed(
    store, request_at, fake_models, kind
):
    store.expired, store.expired_names = EXPIRED[kind], {"result"}
    models = fake_models()

    outcome = run_job(request_at(), models, quiet)

    assert (outcome.state, outcome.error.code) == ("failed", "audio_expired")
    assert models.transcriber.calls == 0
    assert "claim-1" not in store.objects


def test_a_worker_cut_off_from_the_bucket_fences_itself_and_writes_nothing(
    store, request_at, fake_models, monkeypatch
):
    """Its beats are refused for over two minutes of its own clock; then the bucket is back."""
    now = [1000.0]
    monkeypatch.setattr(LeaseOwnership.take.__func__, "__defaults__", (lambda: now[0],))
    monkeypatch.setattr(lease_ownership, "HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(LeaseOwnership.heartbeats.__wrapped__, "__defaults__", (0.01,))
    cut = threading.Event()
    store.is_cut_off = cut.is_set

    def cut_off(_fake):
        cut.set()
        now[0] += 130
        time.sleep(0.1)  # some beats are tried
        cut.clear()

    outcome = run_job(request_at(), fake_models(cut_off), quiet)

    assert outcome.state == "stopped"
    assert "result" not in store.objects
    assert "partial-1" not in store.objects
    assert claim_of(store).state == "running"


def test_a_store_that_is_gone_for_a_moment_costs_nothing(
    store, request_at, fake_models, monkeypatch
):
    monkeypatch.setattr(transfer, "PAUSES_SECONDS", (0.01,) * 7)
    refusals = iter([True] * 4)
    store.is_cut_off = lambda: next(refusals, False)
    models = fake_models()

    assert run_job(request_at(), models, quiet).state == "done"
    assert models.transcriber.calls == 1


def test_no_error_of_a_store_holds_its_address(request_at, store, fake_models):
    del store.objects["audio.flac"]

    outcome = run_job(request_at(), fake_models(), quiet)

    assert outcome.error.code == "audio_changed"
    assert "127.0.0.1" not in claim_of(store).model_dump_json()


def test_on_a_real_s3_server_with_addresses_that_it_checks(s3, s3_job, fake_models):
    stop = Stop()
    first = fake_models(lambda fake: fake.heard and stop.request("preempted"))
    assert run_job(s3_job.request(), first, quiet, stop).state == "stopped"
    assert run_job(s3_job.request(), fake_models(), quiet).state == "duplicate"

    second = fake_models()

    assert run_job(s3_job.request(2), second, quiet).state == "done"
    assert len(second.transcriber.heard) == 1
    assert len(s3_job.result().segments) == 2
    assert [s3_job.claim(n).state for n in (1, 2)] == ["stopped", "done"]
