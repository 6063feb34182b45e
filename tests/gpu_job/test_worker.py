"""The worker as a process, fed by a parent."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gpu_job.contract import Address
from gpu_job.stop_request import Stop
from gpu_job.worker import run_reported
from resources.demo_models import unpack_demo_models

GONE_SECONDS, DONE_SECONDS = 60, 600  # for machines that have a lot else to do


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    folder = unpack_demo_models(tmp_path_factory.mktemp("models"))
    return os.environ | {"MODELS_FOLDER": str(folder), "MODEL": "demo", "DIARIZER": "light"}


def start(environment, **changes):
    return subprocess.Popen(
        [sys.executable, "-m", "gpu_job", "--serve"],
        env=environment | changes,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def events(worker):
    return (json.loads(line) for line in worker.stdout)


def test_a_worker_does_jobs_until_the_farewell(environment, job):
    worker = start(environment)
    said = events(worker)
    assert next(said)["event"] == "ready"

    for attempt in (1, 2):
        worker.stdin.write(job.request(attempt).model_dump_json().encode() + b"\n")
        worker.stdin.flush()
        ended = next(event for event in said if event["event"] == "ended")
        state = "done" if attempt == 1 else "duplicate"
        assert (ended["attempt"], ended["state"]) == (attempt, state)
    worker.stdin.write(b"end\n")
    worker.stdin.flush()

    assert worker.wait(DONE_SECONDS) == 0


@pytest.fixture
def endless_audio():
    """An address whose audio comes byte by byte and never ends, and whether somebody reads it."""
    read, over = threading.Event(), threading.Event()

    class Drip(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            read.set()
            with contextlib.suppress(ConnectionError):
                while not over.wait(0.1):
                    self.wfile.write(b"x")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Drip) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield Address(method="GET", url=f"http://127.0.0.1:{server.server_port}/audio"), read
        over.set()
        server.shutdown()


def test_a_worker_in_the_middle_of_a_job_goes_when_its_parent_is_gone(
    environment, job, endless_audio
):
    audio, is_read = endless_audio
    request = job.request()
    addresses = request.addresses.model_copy(update={"audio": audio})
    request = request.model_copy(update={"addresses": addresses})
    worker = start(environment)
    worker.stdin.write(request.model_dump_json().encode() + b"\n")
    worker.stdin.flush()
    assert is_read.wait(DONE_SECONDS)

    worker.stdin.close()

    assert worker.wait(GONE_SECONDS) == 3
    assert job.claim().state == "running"
    assert job.result() is None


def test_a_model_that_cannot_be_had_is_told_before_any_claim(environment, tmp_path):
    worker = start(environment, MODEL="no-such-model", HF_HUB_OFFLINE="1", HOME=str(tmp_path))

    event = next(events(worker))

    assert event["event"] == "fatal"
    assert "MODEL=no-such-model" in event["message"]
    assert "folder" in event["message"]
    assert worker.wait(DONE_SECONDS) == 2


def test_a_worker_that_is_told_to_stop_says_that_it_takes_no_other_job(job, fake_models):
    stop, told = Stop(), []
    models = fake_models(meanwhile=lambda _: stop.request("preempted"))

    run_reported(job.request(), models, lambda **event: told.append(event), stop)

    assert told[-1]["event"] == "ended"
    assert "preempted" in told[-1]["retire"]


def test_request_files_can_be_worked_through_without_a_parent(environment, job, tmp_path):
    path = tmp_path / "request.json"
    path.write_text(job.request().model_dump_json())

    command = [sys.executable, "-m", "gpu_job", str(path)]
    done = subprocess.run(command, env=environment, check=False)

    assert done.returncode == 0
    assert job.result() is not None


def test_a_line_that_is_no_request_ends_the_worker_and_shows_no_address(environment):
    worker = start(environment)
    worker.stdin.write(b'{"audio": "https://store/a?X-Amz-Signature=abc"}\n')
    worker.stdin.flush()

    assert worker.wait(DONE_SECONDS) == 2
    assert b"Signature" not in worker.stdout.read() + worker.stderr.read()
