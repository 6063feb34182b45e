"""Settings of files that changed: `run` writes the files again, and `status` says how many wait."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from .conftest import DONE_SECONDS, HOUSE, MEDIA, escriba

NARROW = {"SUBTITLE_CHARS_PER_LINE": "20"}
COPIES = 12
WAITING = "done, output files to update"


@pytest.fixture(scope="module")
def done_once(tmp_path_factory):
    """One recording a dozen times: one job."""
    place = tmp_path_factory.mktemp("files")
    for number in range(COPIES):
        shutil.copyfile(MEDIA / "english-2-voices.mp3", place / f"{number}.mp3")
    escriba("add", *place.glob("*.mp3"), "--tenant", "court", cwd=place)
    first = json.loads(escriba("run", "--json", cwd=place).stdout)
    assert (len(first["done"]), first["files_written_again"]) == (COPIES, [])
    return place


def widest(place):
    """The widest line of each recording's subtitles."""
    files = sorted((place / "data" / "bucket" / "transcripts").rglob("transcript.srt"))
    assert len(files) == COPIES
    text = re.compile(r"^(?!\d+$|.*-->).+$", re.MULTILINE)
    return [max(map(len, text.findall(file.read_text()))) for file in files]


def heard(place):
    """What tells of transcripts: attempts, results and their times."""
    work = (place / "data" / "bucket").rglob("*")
    names = ("attempt-", "result", "transcript.json")
    return {path: path.stat().st_mtime_ns for path in work if path.name.startswith(names)}


def waiting(place, **environment):
    return json.loads(escriba("status", "--json", cwd=place, **environment).stdout)[
        "files_to_write_again"
    ]


def test_a_narrower_line_is_in_the_subtitles_after_the_next_run_and_nothing_is_heard_again(
    done_once,
):
    before, transcripts = widest(done_once), heard(done_once)
    assert min(before) > 20
    assert len(waiting(done_once, **NARROW)) == COPIES
    table = escriba("status", cwd=done_once, **NARROW).stdout
    assert re.search(rf"{WAITING} +{COPIES}\s", table, re.MULTILINE), table

    # a model that is not there, and no way to get one: none is needed
    ran = escriba("run", cwd=done_once, **NARROW, MODEL=str(done_once / "nowhere"))

    assert ran.returncode == 0, ran.stderr
    assert f"{COPIES} recordings have output files from other settings" in ran.stdout
    assert f"Files of {COPIES} of {COPIES} recordings written again." in ran.stdout
    assert max(widest(done_once)) <= 20
    assert heard(done_once) == transcripts
    assert waiting(done_once, **NARROW) == []
    again = json.loads(escriba("run", "--json", cwd=done_once, **NARROW).stdout)
    assert (again["done"], again["files_written_again"]) == ([], [])


def killed_in_the_middle(place, environment):
    """A run that is killed after some of the files; how many recordings wait then."""
    before = heard(place)
    running = subprocess.Popen(
        [sys.executable, "-m", "cli", "run", "--json"],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(HOUSE), "BATCH_SIZE": "1"} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    records = list((place / "data" / "bucket" / "work").rglob("stages/cost_metrics.json"))
    times = {path: path.stat().st_mtime_ns for path in records}
    until = time.monotonic() + DONE_SECONDS
    while all(path.stat().st_mtime_ns == at for path, at in times.items()):
        assert time.monotonic() < until
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert heard(place) == before
    return len(waiting(place, **environment))


def test_a_run_that_is_killed_is_carried_on_by_the_next(done_once):
    wide = {"SUBTITLE_CHARS_PER_LINE": "30"}
    transcripts = heard(done_once)

    left = killed_in_the_middle(done_once, wide)
    carried_on = json.loads(escriba("run", "--json", cwd=done_once, **wide).stdout)

    assert 0 < left < COPIES
    assert len(carried_on["files_written_again"]) == left
    assert all(20 < width <= 30 for width in widest(done_once))
    assert heard(done_once) == transcripts
    assert waiting(done_once, **wide) == []


def test_only_the_tenant_that_changed_gets_its_files_again(done_once):
    wide = {"SUBTITLE_CHARS_PER_LINE": "30"}
    escriba("add", MEDIA / "english-2-voices.mp3", "--tenant", "lab", cwd=done_once)
    escriba("run", cwd=done_once, **wide)
    (done_once / "tenants.yaml").write_text("tenants: {lab: {formats: [srt]}}")

    ran = json.loads(escriba("run", "--json", cwd=done_once, **wide).stdout)

    assert ran["files_written_again"] == ["lab/english-2-voices.mp3"]
    assert ran["failed"] == []
    (done_once / "tenants.yaml").write_text("tenants: {lab: {subtitle_min_ms: 8000}}")
    wrong = escriba("run", cwd=done_once, **wide)
    assert wrong.returncode != 0
    assert "subtitle_min_ms (8000) is more than subtitle_max_ms (7000)" in wrong.stderr
