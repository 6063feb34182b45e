"""SIGKILL at random moments of a batch: the next run completes, and repeats nothing."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from gpu_job.contract import Claim, JobResult
from pipelines.billing.attempts import Attempt


def escriba(house, *arguments):
    """The real command, as a process of its own."""
    environment = os.environ | {
        "STORAGE_URL": house.settings.storage_url,
        "DAGSTER_HOME": str(house.root.parent / "dagster"),
        "DEFAULT_LANGUAGE": "auto",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def workers_of(pid):
    """Process ids of the workers that a process has started."""
    children = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z" and b"gpu_job" in command:
            children.append(int(stat.parent.name))
    return children


def objects(house, pattern, kind):
    """All objects of the jobs whose key ends as said."""
    found = (one.key for one in house.storage.list("work/acme/jobs/"))
    keys = [key for key in found if pattern in key.rsplit("/", 1)[1]]
    return {key: kind.model_validate_json(house.storage.read(key)) for key in keys}


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pids, seconds):
    """Whether all are gone by then."""
    until = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def check_once(house, recordings, kills):
    """One transcript each; no computation beyond the first without a death; the ledger whole."""
    claims = objects(house, "claim-", Claim)
    computed = Counter(key.split("/")[3] for key, claim in claims.items() if claim.usage)
    assert sum(n - 1 for n in computed.values()) <= kills
    results = objects(house, "result.json", JobResult)
    assert len(results) == len(computed) == len(recordings)
    attempts = objects(house, "attempt-", Attempt).values()
    assert all(attempt.end is not None for attempt in attempts)
    rows = house.attempts()
    assert {row["attempt_id"] for row in rows} == {a.attempt_id for a in attempts}
    assert Counter(row["status"] for row in rows)["done"] == len(recordings)
    assert all(house.text(recording) for recording in recordings)
    assert len(house.survey().done) == len(recordings)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_batch_killed_at_random_moments_completes_and_repeats_nothing(
    house, clips, wav, tmp_path, seed
):
    dice = random.Random(seed)
    sound = wav.read(clips.english)
    recordings = []
    for i in range(5):
        longer = [*sound] * 3 + [0] * (16 * (i + 1))  # different bytes make different jobs
        wav.write(tmp_path / "one.wav", np.array(longer, np.int16))
        recordings.append(house.put(tmp_path / "one.wav", f"{i}.wav"))
    kills = 0
    for _ in range(4):
        process = escriba(house, "run", "--json")
        time.sleep(dice.uniform(1.5, 7.0))
        workers = workers_of(process.pid)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
        assert wait_until_gone(workers, 2.0), "a worker outlived its parent"

    last = escriba(house, "run", "--json")
    output, complaints = last.communicate(timeout=120)

    assert last.returncode == 0, complaints.decode()
    assert json.loads(output)["failed"] == []
    check_once(house, recordings, kills)


def test_a_worker_killed_in_a_job_costs_one_attempt_and_the_batch_goes_on(
    house, clips, wav, tmp_path
):
    sound = np.tile(wav.read(clips.english), 30)
    recording = house.put(wav.write(tmp_path / "long.wav", sound), "long.wav")
    process = escriba(house, "run", "--json")
    until = time.monotonic() + 60
    while not objects(house, "claim-1", Claim) and time.monotonic() < until:
        time.sleep(0.02)
    [worker] = workers_of(process.pid)

    os.kill(worker, signal.SIGKILL)
    process.communicate(timeout=120)

    assert process.returncode == 0
    check_once(house, [recording], kills=1)
    assert [row["status"] for row in house.attempts()] == ["lost", "done"]
    assert all(row["cost_usd"] > 0 for row in house.attempts())


def test_two_runs_at_once_share_the_work_and_pay_once(house, clips):
    recordings = [house.put(clips.english, "a.wav"), house.put(clips.other, "b.wav")]

    processes = [escriba(house, "run", "--json") for _ in range(2)]
    for process in processes:
        _, complaints = process.communicate(timeout=120)
        assert process.returncode == 0, complaints.decode()

    check_once(house, recordings, kills=0)
