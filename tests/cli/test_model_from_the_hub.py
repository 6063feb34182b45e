"""Who sets nothing gets a real model: from a hub on loopback, whose content is the demo's."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from filelock import FileLock

from resources.demo_models import unpack_demo_models
from tests.fake_hub import files_of, hub_of

from .conftest import HOUSE, MEDIA, escriba
from .test_terminal import in_terminal


@pytest.fixture(scope="module")
def model_files(tmp_path_factory):
    return files_of(unpack_demo_models(tmp_path_factory.mktemp("models")) / "demo")


@pytest.fixture
def hub(model_files):
    with hub_of({"Systran/faster-whisper-small": model_files}) as one:
        yield one


@pytest.fixture
def place(hub, tmp_path, monkeypatch):
    """A folder with a recording, in which nobody set a model; DEVICE since a test machine may
    have a card."""
    monkeypatch.delenv("MODEL")
    home = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "DEVICE": "cpu"}
    home |= {"MODELS_FOLDER": str(tmp_path / "models"), "DEFAULT_LANGUAGE": "en"}
    for name, value in home.items():
        monkeypatch.setenv(name, value)
    escriba("add", MEDIA / "english-2-voices.mp3", cwd=tmp_path)
    return tmp_path


def test_who_sets_nothing_gets_small_on_a_cpu_and_is_told_its_size(place, hub):
    done = escriba("run", cwd=place)

    assert done.returncode == 0, done.stderr
    assert "MODEL=small: downloading 12 MB once from the hub" in done.stdout
    [body] = (place / "data").rglob("transcripts/**/diarized.json")
    told = json.loads(body.read_text())
    assert (told["model"], told["toy"]) == ("small", False)
    assert told["weights"].startswith("Systran/faster-whisper-small@dddd")
    assert told["model_revision"].startswith("small+")
    [text] = (place / "data").rglob("transcript.txt")
    assert text.read_text().startswith("[0:00:00]")
    shown = escriba("show", "english-2", cwd=place)
    assert "model small (Systran/faster-whisper-small@" in shown.stderr

    # what is here needs no hub any more
    hub.seen.clear()
    escriba("add", MEDIA / "english-3-voices.mp4", cwd=place)
    assert escriba("run", cwd=place, HF_ENDPOINT="http://127.0.0.1:9").returncode == 0
    assert hub.seen == []


def test_a_terminal_sees_a_bar_that_ends_full(place):
    shown = in_terminal("run", cwd=place)

    told, _, bars = shown.partition("MODEL=small: downloading 12 MB once")
    assert told.strip() == ""
    assert "11.7/11.7 MB" in bars
    fetching = bars.partition("all recordings")[0]
    assert fetching.rindex("11.7/11.7 MB") > fetching.rindex(" 0.0/11.7 MB")
    assert "1 of 1 recordings done" in bars


@pytest.mark.parametrize("command", [["run"], ["up", "--port", "0"]])
@pytest.mark.parametrize(
    "out_of_reach", [{"HF_ENDPOINT": "http://127.0.0.1:9"}, {"HF_HUB_OFFLINE": "1"}]
)
def test_a_hub_that_is_out_of_reach_is_one_sentence_that_says_what_to_do(
    place, command, out_of_reach
):
    done = escriba(*command, cwd=place, **out_of_reach)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for what in ("MODEL=small", "folder", "escriba demo"):
        assert what in done.stderr
    assert not list((place / "data").rglob("quarantine/**/*.json"))


def test_a_download_that_was_killed_goes_on_where_it_was(place, hub, model_files):
    hub.stall, hub.breaks["model.bin"] = threading.Event(), 4_000_000
    first = subprocess.Popen(
        [sys.executable, "-m", "cli", "run"],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(HOUSE)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert hub.stalled.wait(120)
    part = place / "models" / "hub" / "small.part" / "model.bin.part"
    _until(lambda: part.is_file() and part.stat().st_size >= 3_000_000)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    with FileLock(place / "models" / "hub" / "small.lock", timeout=120):
        hub.sent.clear()  # its child has ended, too
    hub.stall.set()

    done = escriba("run", cwd=place)

    assert done.returncode == 0, done.stderr
    assert "already downloaded" in " ".join(done.stdout.split())  # lines are wrapped
    came = sum(size for file, size in hub.sent if file == "model.bin")
    assert came <= len(model_files["model.bin"]) - 3_000_000
    assert not list((place / "models" / "hub").glob("*.part"))


def test_a_tenants_own_model_is_had_too_and_each_recording_gets_its_own(place, hub, model_files):
    hub.models["Systran/faster-whisper-base"] = model_files
    (place / "tenants.yaml").write_text("tenants: {court: {model: base}}\n")
    escriba("add", MEDIA / "english-2-voices.mp3", "--tenant", "court", cwd=place)

    done = escriba("run", cwd=place)

    assert done.returncode == 0, done.stderr
    told = {
        path.parent.parent.name: json.loads(path.read_text())["model"]
        for path in (place / "data").rglob("transcripts/**/diarized.json")
    }
    assert told == {"default": "small", "court": "base"}


def _until(holds):
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
