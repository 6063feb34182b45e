"""The chain of one machine with pyannote, in a worker that has it."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import RECORDINGS

pytestmark = pytest.mark.torch

DONE_SECONDS = 300  # for machines that have a lot else to do


def escriba(*arguments, cwd, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=DONE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_recordings_get_their_turns_from_pyannote(models, tmp_path):
    with_pyannote = {
        "DIARIZER": "pyannote",
        "DIARIZATION_MODEL": str(models / "community-1"),
        "LOCAL_WORKER_PYTHON": sys.executable,
        "DEFAULT_LANGUAGE": "en",
        "STORAGE_URL": (tmp_path / "bucket").as_uri(),
    }
    escriba("add", str(RECORDINGS / "english-2-voices.mp3"), cwd=tmp_path, **with_pyannote)

    told = json.loads(escriba("run", "--json", cwd=tmp_path, **with_pyannote))

    assert told["failed"] == []
    transcripts = tmp_path / "bucket/transcripts/default/english-2-voices.mp3"
    found = json.loads((transcripts / "transcript.json").read_text())
    assert found["exclusive_turns"]
    assert len({turn["speaker"] for turn in found["turns"]}) > 1
    diarized = json.loads((transcripts / "diarized.json").read_text())
    assert "Good morning" in json.dumps(diarized)
    doctor = escriba("doctor", "--json", cwd=tmp_path, **with_pyannote)
    [diarizer] = [one for one in json.loads(doctor) if one["what"] == "diarizer"]
    assert diarizer["state"] == "well"
