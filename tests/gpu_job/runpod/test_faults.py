"""What breaks around a worker on RunPod: the bucket, its addresses, the card's memory."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.loopback import Answering

pytestmark = pytest.mark.torch

# as lease_ownership.py has them, a hundred times as fast
QUICK_FENCE = "from gpu_job import lease_ownership as ownership\nownership.FENCE_SECONDS = 1.5"
QUICK_FENCE += "\nownership.LeaseOwnership.heartbeats.__wrapped__.__defaults__ = (0.2,)"
NO_MEMORY = """
from gpu_job.transcribe.decoder import Decoder
def full(*_): raise RuntimeError("CUDA failed with error out of memory")
Decoder.decode = full
"""


class Between(Answering, BaseHTTPRequestHandler):
    """Passes everything on to the bucket, until the worker is cut off from it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.pass_on()

    def do_PUT(self):
        self.pass_on()

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.refuses:
            return self.answer(*self.server.refuses)
        headers = {name: self.headers[name] for name in self.headers if name != "Host"}
        headers["Host"] = self.server.bucket.split("//")[1]
        found = httpx.request(
            self.command, self.server.bucket + self.path, content=body, headers=headers, timeout=60
        )
        return self.answer(found.status_code, found.content)


@pytest.fixture
def between(s3_server):
    """A door before the bucket that a test can shut, and requests that go through it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Between) as server:
        server.bucket, server.refuses = s3_server, None
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

        def through(request, only=()):
            door = f"http://127.0.0.1:{server.server_port}"
            addresses = {
                name: address
                if address is None or (only and name not in only)
                else address.model_copy(update={"url": address.url.replace(s3_server, door)})
                for name, address in request.addresses
            }
            changed = request.addresses.model_copy(update=addresses)
            return request.model_copy(update={"addresses": changed}).model_dump(mode="json")

        server.through = through
        yield server
        server.shutdown()


def test_a_worker_cut_off_from_the_bucket_stops_by_itself_and_the_next_attempt_is_done(
    runpod, start_pod, new_job, between
):
    job = new_job(times=30)
    pod = start_pod(QUICK_FENCE)
    id_ = runpod.run(between.through(job.request()))
    runpod.begun(id_)

    between.refuses = (503,)
    ended = runpod.end_of(id_)

    assert ended.output["state"] == "stopped"
    assert job.claim().state == "running"  # nothing was written any more
    assert not job.has("result.json")
    assert not job.has("partial-1.json")
    pod.kill()
    between.refuses = None
    start_pod()
    assert runpod.end_of(runpod.run(job.payload(attempt=2))).output["state"] == "done"


def test_audio_whose_address_expired_in_the_queue_is_told_as_such(
    runpod, start_pod, new_job, between
):
    job = new_job()
    between.refuses = (403, b"<Code>AccessDenied</Code><Message>Request has expired</Message>")
    pod = start_pod()

    ended = runpod.end_of(runpod.run(between.through(job.request(), only={"audio"})))

    assert (ended.status, json.loads(ended.error)["code"]) == ("FAILED", "audio_expired")
    assert job.claim().error.code == "audio_expired"
    assert "Signature" not in pod.log
    assert runpod.end_of(runpod.run(job.payload(attempt=2))).output["state"] == "done"


def test_want_of_memory_refreshes_the_worker_and_another_one_goes_on(runpod, start_pod, new_job):
    job = new_job()
    pod = start_pod(NO_MEMORY, BATCH_WINDOWS="4")

    ended = runpod.end_of(runpod.run(job.payload()))

    assert (ended.status, json.loads(ended.error)["code"]) == ("FAILED", "out_of_memory")
    assert runpod.stopped_pods == [pod.name]
    assert pod.exit_status() == 0
    start_pod()
    assert runpod.end_of(runpod.run(job.payload(attempt=2))).output["state"] == "done"
