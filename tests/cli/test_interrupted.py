"""Runs that end in the middle, and the next ones, which carry on."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .conftest import DONE_SECONDS, FILES, HOUSE, MEDIA, escriba


def test_a_first_run_that_was_killed_while_dagster_made_its_tables_stops_no_later_one(tmp_path):
    home = {"STORAGE_URL": (tmp_path / "bucket").as_uri(), "DEFAULT_LANGUAGE": "auto"}
    history = tmp_path / "data" / "dagster" / "history" / "runs"
    history.mkdir(parents=True)
    (history / "index.db").touch()
    sqlite3.connect(history.parent / "runs.db").execute("CREATE TABLE runs (id)").close()
    escriba("add", MEDIA / "english-2-voices.mp3", cwd=tmp_path, **home)

    done = escriba("run", cwd=tmp_path, **home)

    assert done.returncode == 0, done.stderr
    assert "1 of 1 recordings done" in done.stdout


def stopped_before_its_end(tmp_path, home):
    """A run that has begun its work, stopped before all of it is done; None where it was quick."""
    running = subprocess.Popen(
        [sys.executable, "-m", "cli", "run"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(HOUSE)} | home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + DONE_SECONDS
    bucket = Path(url2pathname(urlsplit(home["STORAGE_URL"]).path))
    while not list(bucket.glob("work/*/*/stages/raw_audio.json")):
        assert time.monotonic() < until
        time.sleep(0.01)
    running.send_signal(signal.SIGSTOP)
    if len(list(bucket.glob("work/*/jobs/*/result.json"))) < len(FILES):
        return running
    running.send_signal(signal.SIGCONT)
    running.communicate(timeout=DONE_SECONDS)
    return None


def test_an_interrupt_ends_a_run_in_good_order_and_the_next_carries_on(tmp_path):
    running = None
    for n in range(5):  # a run that is quick may be over before we come to look
        bucket = (tmp_path / f"bucket-{n}").as_uri()
        home = {"STORAGE_URL": bucket, "DEFAULT_LANGUAGE": "auto"}
        escriba("add", *FILES, cwd=tmp_path, **home)
        if running := stopped_before_its_end(tmp_path, home):
            break
    assert running

    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGCONT)
    printed, complaints = running.communicate(timeout=DONE_SECONDS)

    assert running.returncode == 130, complaints
    assert "continues" in printed
    assert escriba("run", cwd=tmp_path, **home).returncode == 0
