"""A manifest in a process of its own: it begins anew, and ends in good order."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from gpu_job import manifest
from gpu_job.common.audio import decode, sha256_of
from gpu_job.common.settings import WorkerSettings
from gpu_job.contract import JobOptions, Manifest, SpeechRegion
from resources.demo_models import unpack_demo_models

DONE_SECONDS = 600  # for machines that have a lot else to do


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    folder = unpack_demo_models(tmp_path_factory.mktemp("models"))
    return os.environ | {"MODELS_FOLDER": str(folder), "MODEL": "demo", "DIARIZER": "light"}


def started(environment, *arguments, **changes):
    return subprocess.Popen(
        [sys.executable, "-m", "gpu_job", *arguments],
        env=environment | changes,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_worker_that_retires_after_each_job_still_does_them_all(environment, jobs, job, tmp_path):
    path = tmp_path / "manifest.json"
    path.write_text(Manifest(requests=jobs(3)).model_dump_json())

    worker = started(environment, "--manifest", str(path), RETIRE_AFTER_JOBS="1")
    told = [json.loads(line) for line in worker.communicate(timeout=DONE_SECONDS)[0].splitlines()]

    assert worker.returncode == 0
    ended = [(each["attempt"], each["state"]) for each in told if each["event"] == "ended"]
    assert [each for each in ended if each[1] == "done"] == [(1, "done"), (2, "done"), (3, "done")]
    assert [each["event"] for each in told].count("retired") == 2
    boots = {job.claim(n).usage.boot for n in (1, 2, 3)}
    assert len(boots) == 3


def test_sigterm_ends_it_between_batches_with_a_status_of_its_own(
    environment, job, recordings, tmp_path
):
    path = tmp_path / "request.json"
    job.storage.upload("audio.flac", long_audio(recordings, tmp_path))
    digest = sha256_of(tmp_path / "bucket" / "audio.flac")
    length_ms = 45_000 * 40
    starts = range(0, length_ms, 22_500)
    request = job.request(
        audio_ms=length_ms,
        audio_sha256=digest,
        options=JobOptions(model="demo", language="en", diarizer="none"),
        regions=tuple(SpeechRegion(start_ms=at, end_ms=at + 20_000) for at in starts),
    )
    path.write_text(request.model_dump_json())
    worker = started(environment, str(path), BATCH_WINDOWS="2")
    for line in worker.stdout:
        if json.loads(line)["event"] == "progress":
            break

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(DONE_SECONDS) == manifest.STOPPED_EXIT
    error = job.claim().error
    # whoever sent the signal: it is no notice of a cloud, which may make a machine free
    assert (job.claim().state, error.code, error.reason) == ("stopped", "cancelled", "terminated")
    assert job.result() is None


def long_audio(recordings, folder):
    """Half an hour of the dialogue, again and again, as FLAC."""
    once = decode(recordings / "english-2-voices.mp3", 1, 44_700)
    path = folder / "long.flac"
    with av.open(str(path), "w") as made:
        stream = made.add_stream("flac", rate=16000, layout="mono")
        for _ in range(41):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(once), "s16", "mono")
            frame.sample_rate = 16000
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("failed_before", [False, True])
def test_who_takes_the_place_of_a_process_knows_that_a_job_failed(
    jobs, fake_models, monkeypatch, failed_before
):
    """Its claim stands, so that the next process passes it over as somebody else's."""
    begun = []
    models = fake_models()
    models.retirement._after_jobs = 1
    monkeypatch.setattr(manifest, "load_models", lambda _: models)
    monkeypatch.setattr(manifest.os, "execv", lambda _, command: begun.append(command))
    requests = jobs(2)
    bad = requests[0].model_copy(update={"audio_sha256": "0" * 64})
    first = requests[0] if failed_before else bad

    status = manifest.process_all(
        (first, requests[1]), WorkerSettings(Path()), some_failed=failed_before
    )

    assert manifest.SOME_FAILED in begun[0]
    assert status == manifest.SOME_FAILED_EXIT
