"""Eight hours in one job: in bounded memory, and its result compressed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from gpu_job.common.audio import SAMPLES_PER_MS, decode, sha256_of
from gpu_job.contract import JobOptions, JobResult, SpeechRegion
from gpu_job.contract.packing import unpacked
from resources.demo_models import unpack_demo_models

HOURS = 8
MINUTE_MS = 60_000
EVERY_MINUTES = 20  # the dialogue begins anew
MOST_MB = 2_000
# a process that is started by a large one counts the large one's memory as its own peak (Linux
# carries it over exec), so a small one starts the worker and reads the peak of its child
LAUNCHER = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=file)
sys.exit(status)
"""


@pytest.fixture(scope="module")
def hearing(tmp_path_factory, recordings):
    """Eight hours of FLAC in which somebody speaks for 45 s of every 20 minutes, and where."""
    path = tmp_path_factory.mktemp("hearing") / "audio.flac"
    dialogue = decode(recordings / "english-2-voices.mp3", 1, 44_700)
    length_ms = dialogue.shape[1] // SAMPLES_PER_MS
    with av.open(str(path), "w") as made:
        stream = made.add_stream("flac", rate=16000, layout="mono")
        for minute in range(HOURS * 60):
            block = np.zeros((1, MINUTE_MS * SAMPLES_PER_MS), np.int16)
            if minute % EVERY_MINUTES == 0:
                block[:, : dialogue.shape[1]] = dialogue
            frame = av.AudioFrame.from_ndarray(block, "s16", "mono")
            frame.sample_rate = 16000
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    starts = range(0, HOURS * 60 * MINUTE_MS, EVERY_MINUTES * MINUTE_MS)
    return path, tuple(SpeechRegion(start_ms=at, end_ms=at + length_ms) for at in starts)


def test_eight_hours_fit_in_two_gigabytes_and_every_word_has_its_time(
    job, hearing, tmp_path, tmp_path_factory
):
    audio, regions = hearing
    copy = tmp_path / "audio.flac"
    copy.hardlink_to(audio)
    job.storage.upload("audio.flac", copy)
    request = job.request(
        audio_ms=HOURS * 60 * MINUTE_MS,
        audio_sha256=sha256_of(audio),
        regions=regions,
        options=JobOptions(model="demo", language="en"),
    )
    (tmp_path / "request.json").write_text(request.model_dump_json())
    models = unpack_demo_models(tmp_path_factory.mktemp("models"))

    told, peak_mb = _run_worker(tmp_path, os.environ | {"MODELS_FOLDER": str(models)})

    assert peak_mb < MOST_MB
    result = JobResult.model_validate_json(unpacked(job.storage.read("result.json")))
    words = [word for segment in result.segments for word in segment.words]
    assert len(words) == pytest.approx(96 * len(regions), rel=0.1)
    assert all(
        any(region.start_ms - 500 <= word.start_ms <= region.end_ms + 500 for region in regions)
        for word in words
    )
    assert {turn.speaker for turn in result.turns} >= {"SPEAKER_00", "SPEAKER_01"}
    done = [each["done_ms"] for each in told if each["event"] == "progress"]
    assert done == sorted(done)
    assert done[-1] == sum(region.end_ms - region.start_ms for region in regions)


def _run_worker(folder: Path, environment):
    """The events of a worker that processes request.json, and its peak memory in MB."""
    peak = folder / "peak_kb.txt"
    worker = [sys.executable, "-m", "gpu_job", str(folder / "request.json")]
    ran = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, str(peak), *worker],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    return told, int(peak.read_text()) / 1024
