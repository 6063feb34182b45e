"""From a recording to its transcript through RunPod: the chain, RunPod's own loop, S3."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from resources.ledger.queries import open_ledger
from resources.spending.reservations import OPEN
from resources.storage import open_storage

pytestmark = pytest.mark.torch

DONE_SECONDS = 400  # for machines that have a lot else to do
# lines of Python before the worker's own: it dies with a job in its hands and no claim
DIES_BEFORE_ITS_CLAIM = """
import os, signal
from gpu_job.lease_ownership import LeaseOwnership
LeaseOwnership._create = lambda _: os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def house(s3, runpod, tmp_path):
    """`escriba` on a bucket on S3, whose jobs go to RunPod and nowhere else."""
    key, secret = s3.settings.aws_access_key_id, s3.settings.aws_secret_access_key
    environment = {name.upper(): value for name, value in runpod.settings.items()} | {
        "PRIMARY_BACKEND": "runpod",
        "STORAGE_URL": s3.settings.storage_url,
        "AWS_ENDPOINT_URL": s3.settings.aws_endpoint_url,
        "AWS_ACCESS_KEY_ID": _shown(key),
        "AWS_SECRET_ACCESS_KEY": _shown(secret),
        "DEFAULT_LANGUAGE": "en",
        "MODELS_FOLDER": str(tmp_path / "models"),  # no voices, as the worker
    }
    storage = open_storage(s3.settings)

    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            cwd=tmp_path,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(process):
        told, errors = process.communicate(timeout=DONE_SECONDS)
        assert process.returncode == 0, told + errors
        return told

    def ledger(query):
        with open_ledger(storage) as open_one:
            return open_one.execute(query).fetchall()

    def transcript(name):
        return storage.read(f"transcripts/default/{name}/diarized.json")

    return SimpleNamespace(
        start=start, end=end, ledger=ledger, transcript=transcript, storage=storage
    )


def _shown(value):
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


def test_recordings_are_transcribed_on_runpod_and_their_costs_are_in_the_ledger(
    house, start_pod, clips
):
    pod = start_pod()
    house.end(house.start("add", str(clips.english), str(clips.other)))

    told = json.loads(house.end(house.start("run", "--json")))

    assert told["failed"] == []
    assert b"Good morning" in house.transcript("english.wav")
    assert house.transcript("other.wav")
    rows = house.ledger("SELECT backend, sku, status, worker, cost_usd > 0 FROM attempts")
    worker = rows[0][3]
    assert worker
    assert rows == [("runpod", "l4", "done", worker, True)] * 2
    lives = house.ledger("SELECT backend, sku, worker, jobs, cost_usd > 0 FROM instances")
    assert lives == [("runpod", "l4", worker, 2, True)]
    assert list(house.storage.list(OPEN)) == []
    assert "Signature" not in pod.log


def test_a_worker_that_is_killed_before_it_claims_costs_nothing_and_another_one_does_the_job(
    runpod, house, start_pod, clips
):
    first = start_pod(DIES_BEFORE_ITS_CLAIM)
    house.end(house.start("add", str(clips.english)))
    run = house.start("run", "--json")
    first.exit_status()
    (lost,) = runpod.jobs

    runpod.lose(lost)  # RunPod lets go of it, and knows nothing of it afterwards
    start_pod()

    assert json.loads(house.end(run))["failed"] == []
    assert b"Good morning" in house.transcript("english.wav")
    rows = house.ledger(
        "SELECT attempt, status, worker, cost_usd > 0 FROM attempts ORDER BY attempt"
    )
    worker = rows[-1][2]
    assert worker
    assert rows == [(1, "buried", "", False), (2, "done", worker, True)]
    assert house.ledger("SELECT worker, jobs FROM instances") == [(worker, 1)]
    assert list(house.storage.list(OPEN)) == []
