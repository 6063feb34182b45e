"""The worker as a process, fed by a parent."""

import json
import os
import subprocess
import sys
import time

import pytest

from resources.models import unpack_demo_models


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

    assert worker.wait(10) == 0


def test_a_worker_goes_at_once_when_its_parent_is_gone(environment):
    worker = start(environment)
    assert next(events(worker))["event"] == "ready"

    since = time.monotonic()
    worker.stdin.close()

    assert worker.wait(10) == 3
    assert time.monotonic() - since < 2


def test_a_model_that_cannot_be_had_is_told_before_any_claim(environment, tmp_path):
    worker = start(environment, MODEL="no-such-model", HF_HUB_OFFLINE="1", HOME=str(tmp_path))

    event = next(events(worker))

    assert event["event"] == "fatal"
    assert "MODEL=no-such-model" in event["message"]
    assert "MODEL=demo" in event["message"]
    assert worker.wait(10) == 2


def test_request_files_can_be_worked_through_without_a_parent(environment, job, tmp_path):
    path = tmp_path / "request.json"
    path.write_text(job.request().model_dump_json())

    command = [sys.executable, "-m", "gpu_job", str(path)]
    done = subprocess.run(command, env=environment, check=False)

    assert done.returncode == 0
    assert job.result() is not None
