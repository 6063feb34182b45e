"""SIGKILL at random moments of a batch: the next run completes it and repeats nothing."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from escriba.billing.attempts import Attempt
from gpu_job.contract import JobResult, Lease
from gpu_job.contract.packing import unpacked
from gpu_job.contract.process_identity import is_known_dead, place_of

GONE_SECONDS, DONE_SECONDS = 60, 600  # for busy machines
CLAIM, RESULT = r"claim-\d+\.json", r"result\.json"


def escriba(house, *arguments, **changes):
    """The real command in its own process."""
    environment = os.environ | {
        "STORAGE_URL": house.settings.storage_url,
        "DAGSTER_HOME": str(house.root.parent / "dagster"),
        "DEFAULT_LANGUAGE": "auto",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "cli", *arguments],
        env=environment | changes,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def workers_of(pid):
    """The folders of the workers that a process has started."""
    children = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z" and b"gpu_job" in command:
            children.append(place_of(int(stat.parent.name)))
    return children


def objects(house, pattern, kind):
    """All objects of the jobs with this file name."""
    found = (one.key for one in house.storage.list("work/acme/jobs/"))
    keys = [key for key in found if re.fullmatch(pattern, key.rsplit("/", 1)[1])]
    bodies = {key: house.storage.read(key) for key in keys}
    return {key: kind.model_validate_json(unpacked(body)) for key, body in bodies.items() if body}


def until(happened, seconds):
    """Whether it happened before the deadline; these tests do not measure how fast."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def is_killed(process):
    """Kill a run with SIGKILL; returns whether it was still running. Its workers end too."""
    workers = workers_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert until(lambda: all(map(is_known_dead, workers)), GONE_SECONDS)
    return process.returncode == -signal.SIGKILL


def check_once(house, recordings, kills):
    """One transcript each, no repeated computation without a kill, and a complete ledger."""
    claims = objects(house, CLAIM, Lease)
    computed = Counter(key.split("/")[3] for key, claim in claims.items() if claim.usage)
    assert sum(n - 1 for n in computed.values()) <= kills
    results = objects(house, RESULT, JobResult)
    assert len(results) == len(computed) == len(recordings)
    attempts = objects(house, r"attempt-\d+\.json", Attempt).values()
    assert all(attempt.end is not None for attempt in attempts)
    rows = house.attempts()
    assert {row["attempt_id"] for row in rows} == {a.attempt_id for a in attempts}
    assert Counter(row["status"] for row in rows)["done"] == len(recordings)
    assert all(house.text(recording) for recording in recordings)
    assert len(house.survey().done) == len(recordings)


def put_variants(house, wav, sound, folder):
    """Five recordings with different bytes, and so different jobs."""
    recordings = []
    for i in range(5):
        longer = [*sound] * 3 + [0] * (16 * (i + 1))
        wav.write(folder / "one.wav", np.array(longer, np.int16))
        recordings.append(house.put(folder / "one.wav", f"{i}.wav"))
    return recordings


@pytest.mark.parametrize("seed", [1, 2])
def test_a_batch_killed_at_random_moments_completes_and_repeats_nothing(
    house, clips, wav, tmp_path, seed
):
    dice = random.Random(seed)
    recordings = put_variants(house, wav, wav.read(clips.english), tmp_path)
    process = escriba(house, "run", "--json")
    assert until(lambda: objects(house, CLAIM, Lease), DONE_SECONDS)
    assert is_killed(process), "the first one falls on a job, however quick the machine is"
    assert len(objects(house, RESULT, JobResult)) < len(recordings)
    kills = 1
    for _ in range(3):
        process = escriba(house, "run", "--json")
        time.sleep(dice.uniform(1.5, 7.0))
        kills += is_killed(process)

    last = escriba(house, "run", "--json")
    output, complaints = last.communicate(timeout=DONE_SECONDS)

    assert last.returncode == 0, complaints.decode()
    assert json.loads(output)["failed"] == []
    check_once(house, recordings, kills)


def stopped_in_a_job(house, process, job):
    """The worker of a run, stopped in its n-th job; None if it finished before."""

    def is_claimed_or_over():
        return len(objects(house, CLAIM, Lease)) >= job or process.poll() is not None

    assert until(is_claimed_or_over, DONE_SECONDS)
    for worker in workers_of(process.pid):
        os.kill(worker.pid, signal.SIGSTOP)
        if len(objects(house, RESULT, JobResult)) < job:
            return worker
        os.kill(worker.pid, signal.SIGCONT)
    return None


def test_a_worker_killed_in_a_job_costs_one_attempt_and_the_batch_goes_on(
    house, clips, wav, tmp_path
):
    recordings, worker = [], None
    while worker is None:  # longer each time, since a worker may be fast and this test slow
        assert len(recordings) < 4
        sound = np.tile(wav.read(clips.english), 30 * 4 ** len(recordings))
        source = wav.write(tmp_path / "long.wav", sound)
        recordings.append(house.put(source, f"{len(recordings)}.wav"))
        process = escriba(house, "run", "--json")
        worker = stopped_in_a_job(house, process, len(recordings))
        if worker is None:
            process.communicate(timeout=DONE_SECONDS)

    os.kill(worker.pid, signal.SIGKILL)
    process.communicate(timeout=DONE_SECONDS)

    assert process.returncode == 0
    check_once(house, recordings, kills=1)
    ends = Counter(row["status"] for row in house.attempts())
    assert ends == {"lost": 1, "done": len(recordings)}
    assert all(row["cost_usd"] > 0 for row in house.attempts())


def test_two_runs_at_once_share_the_work_and_pay_once(house, clips):
    recordings = [house.put(clips.english, "a.wav"), house.put(clips.other, "b.wav")]

    processes = [escriba(house, "run", "--json") for _ in range(2)]
    for process in processes:
        _, complaints = process.communicate(timeout=DONE_SECONDS)
        assert process.returncode == 0, complaints.decode()

    check_once(house, recordings, kills=0)


def cpu_seconds(place):
    """The jobs that a process has computed so far."""
    fields = Path(f"/proc/{place.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_worker_whose_machine_is_taken_away_leaves_its_half_to_the_next(
    house, clips, wav, tmp_path
):
    times = 240  # 35 minutes: a call of eight windows takes a second of it
    sound = np.tile(wav.read(clips.english), times)
    recording = house.put(wav.write(tmp_path / "long.wav", sound), "long.wav")
    process = escriba(house, "run", "--json")
    assert until(lambda: objects(house, CLAIM, Lease), DONE_SECONDS)
    [worker] = workers_of(process.pid)
    begun = cpu_seconds(worker)
    assert until(lambda: cpu_seconds(worker) > begun + 8, DONE_SECONDS)

    os.kill(worker.pid, signal.SIGTERM)
    _, complaints = process.communicate(timeout=DONE_SECONDS)

    assert process.returncode == 0, complaints.decode()
    rows = {row["attempt"]: row for row in house.attempts()}
    assert {n: row["status"] for n, row in rows.items()} == {1: "stopped", 2: "done"}
    assert all(row["cost_usd"] > 0 for row in rows.values())
    [result] = objects(house, RESULT, JobResult).values()
    assert 0 < result.usage.audio_ms_resumed < result.usage.audio_ms_done
    words = house.text(recording).lower().count("good morning everyone")
    assert words == pytest.approx(times, rel=0.1)


def test_a_worker_that_retires_is_followed_by_another_and_no_attempt_is_lost(house, clips):
    recordings = [
        house.put(clip, f"{n}.wav") for n, clip in enumerate((clips.english, clips.other))
    ]

    process = escriba(house, "run", "--json", RETIRE_AFTER_JOBS="1")
    _, complaints = process.communicate(timeout=DONE_SECONDS)

    assert process.returncode == 0, complaints.decode()
    check_once(house, recordings, kills=0)
    boots = {claim.usage.boot for claim in objects(house, CLAIM, Lease).values()}
    assert len(boots) == 2
    assert {row["status"] for row in house.attempts()} == {"done"}
