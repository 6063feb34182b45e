"""What is cancelled, interrupted or killed, in the middle of a long recording."""

import json
import signal
import time
import wave
from pathlib import Path

import pytest
from playwright.sync_api import expect

DEMO = Path(__file__).resolve().parents[2] / "demo" / "recordings"
REPEATED = 45  # of the demo's recording: half an hour, some ten seconds of a worker's time
SECONDS_TO_END = 60


@pytest.fixture(scope="module")
def long(up, first_run, cut, tmp_path_factory):
    """A recording that takes its time; its partition key."""
    folder = tmp_path_factory.mktemp("long")
    piece = cut(DEMO / "english-2-voices.mp3", folder / "piece.wav", 1_000.0)
    with wave.open(str(piece)) as once, wave.open(str(folder / "long.wav"), "wb") as often:
        often.setparams(once.getparams())
        often.writeframes(once.readframes(once.getnframes()) * REPEATED)
    return up.put(folder / "long.wav", "long.wav")


def test_a_cancelled_run_ends_with_its_worker_in_seconds(page, up, long):
    run = up.launch([long])
    page.goto(f"/runs/{run}")
    up.wait_for(up.workers, "a worker")

    page.get_by_role("button", name="Terminate").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Terminate 1 run").click()
    since = time.monotonic()

    expect(page.get_by_text("Canceled", exact=True).first).to_be_visible()
    up.wait_for(lambda: not up.workers(), "the end of the worker")
    assert time.monotonic() - since < SECONDS_TO_END


def test_an_interrupt_ends_all_and_the_next_start_carries_on(up, long):
    seen = json.loads(up.cursor())["seen"]
    up.launch([long])
    up.wait_for(up.workers, "a worker")
    family = up.family()

    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(SECONDS_TO_END) == 0

    assert not set(family) & set(up.processes())
    assert "Stopped." in up.said.read_text()
    up.start()
    assert seen.keys() <= json.loads(up.cursor())["seen"].keys()  # no sensor begins anew
    up.wait_for(lambda: is_done(up, long), "the transcript")
    files = [name.rsplit("/", 1) for name in up.jobs()]
    jobs = sorted(job for job, file in files if file == "request.json")
    assert sorted(job for job, file in files if file == "result.json") == jobs


def is_done(up, key):
    return (up.bucket / "work" / key / "stages" / "cost_metrics.json").exists()


def test_sigkill_ends_all_that_it_started(up):
    family = up.family()
    assert len(family) > 5

    up.process.kill()
    up.process.wait()

    up.wait_for(lambda: not set(family) & set(up.processes()), "the end of all", SECONDS_TO_END)
