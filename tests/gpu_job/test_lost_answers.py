"""A store whose answers get lost: what a worker makes of them (docs/idempotency.md, rule 4)."""

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from gpu_job import transfer
from gpu_job.contract import Address, JobAddresses, Lease
from gpu_job.job import run_job
from gpu_job.transfer import Put, put
from tests.loopback import Answering

CREATE_ONLY = {"If-None-Match": "*"}


class Store(Answering, BaseHTTPRequestHandler):
    """Objects by name. A PUT of a name in `faults` is answered with 500 so many times."""

    def do_GET(self):
        if self.server.busy[self.path[1:]]:
            self.server.busy[self.path[1:]] -= 1
            return self.answer(503)
        body = self.server.objects.get(self.path[1:])
        return self.answer(404 if body is None else 200, body or b"")

    def do_PUT(self):
        name = self.path[1:]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = self.server.faults.get(name, ("", 0))
        self.server.puts[name] += 1
        breaks = self.server.puts[name] <= fault[1]
        if breaks and fault[0] == "too often":
            return self.answer(429)
        if breaks and fault[0] == "before it is stored":
            return self.answer(500)
        if "If-None-Match" in self.headers and name in self.server.objects:
            return self.answer(412)
        self.server.objects[name] = body
        return self.answer(500 if breaks else 200)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(transfer, "PAUSES_SECONDS", (0.0,) * 7)


@pytest.fixture
def store():
    """A store of one's own on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        server.objects, server.faults = {}, {}
        server.puts, server.busy = Counter(), Counter()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def lossy(store, job, fake_models):
    """A worker that runs the job at that store, and what it leaves there."""
    url = f"http://127.0.0.1:{store.server_port}"

    def address(method, name, headers=None):
        return Address(method=method, url=f"{url}/{name}", headers=headers or {})

    addresses = JobAddresses(
        audio=job.request().addresses.audio,
        result_read=address("GET", "result"),
        result_create=address("PUT", "result", CREATE_ONLY),
        claim_read=address("GET", "claim"),
        claim_create=address("PUT", "claim", CREATE_ONLY),
        claim_beat=address("PUT", "beat"),  # apart from the claim: what `take` left stays seen
        partial_read=address("GET", "partial"),
    )

    def run(**faults):
        store.faults, models = faults, fake_models()
        outcome = run_job(job.request(addresses=addresses), models, lambda _: None)
        return SimpleNamespace(
            state=outcome.state,
            computed=models.transcriber.calls,
            claim=store.objects.get("claim"),
            result=store.objects.get("result"),
        )

    return run


def test_a_claim_that_was_stored_though_its_answer_was_lost_is_ones_own(lossy):
    ran = lossy(claim=("after it was stored", 1))

    assert (ran.state, ran.computed) == ("done", 1)


def test_a_claim_that_was_not_stored_is_created_once_more(lossy):
    ran = lossy(claim=("before it is stored", 2))

    assert (ran.state, ran.computed) == ("done", 1)
    assert Lease.model_validate_json(ran.claim).state == "running"


def test_a_claim_of_somebody_else_is_never_taken_for_ones_own(lossy, store):
    store.objects["claim"] = b'{"nonce": "theirs", "state": "running"}'

    ran = lossy(claim=("before it is stored", 1))

    assert (ran.state, ran.computed) == ("duplicate", 0)


def test_a_result_that_was_stored_though_its_answer_was_lost_stands(lossy):
    ran = lossy(result=("after it was stored", 1))

    assert ran.state == "done"
    assert ran.result is not None


def test_a_result_that_was_not_stored_is_written_again(lossy):
    ran = lossy(result=("before it is stored", 4))

    assert (ran.state, ran.computed) == ("done", 1)
    assert ran.result is not None


@pytest.mark.parametrize("name", ["claim", "result"])
def test_a_store_that_wants_fewer_writes_is_asked_again(lossy, name):
    """GCS says 429 to who writes one object more than once a second."""
    ran = lossy(**{name: ("too often", 3)})

    assert (ran.state, ran.computed) == ("done", 1)


def test_a_result_that_cannot_be_stored_is_a_failure_and_never_called_done(lossy):
    ran = lossy(result=("before it is stored", 99))

    assert (ran.state, ran.result) == ("failed", None)


@pytest.mark.parametrize("fault", ["before it is stored", "after it was stored"])
def test_a_store_that_breaks_leaves_unsure_what_became_of_a_write(store, fault):
    store.faults = {"x": (fault, 1)}
    address = Address(method="PUT", url=f"http://127.0.0.1:{store.server_port}/x")

    assert [put(address, b"1"), put(address, b"1")] == [Put.UNSURE, Put.WRITTEN]


def test_a_last_word_that_did_not_arrive_is_said_again(lossy, store):
    ran = lossy(beat=("before it is stored", 2))

    assert ran.state == "done"
    assert Lease.model_validate_json(store.objects["beat"]).state == "done"


@pytest.mark.parametrize("name", ["result", "partial"])
def test_a_store_that_does_not_answer_at_once_is_asked_again(lossy, store, name):
    store.busy[name] = 2

    ran = lossy()

    assert (ran.state, ran.computed) == ("done", 1)
    assert store.busy[name] == 0


def test_a_claim_that_exists_and_cannot_be_seen_at_once_may_be_ones_own(lossy, store):
    store.busy["claim"] = 2

    ran = lossy(claim=("after it was stored", 1))

    assert (ran.state, ran.computed) == ("done", 1)
