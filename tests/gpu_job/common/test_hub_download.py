"""A speech model is had from a hub on loopback: whole or not at all, and never twice."""

import json
import os
import subprocess
import sys

import pytest

from tests.fake_hub import COMMIT, hub_of

NAME, REPOSITORY = "small", "Systran/faster-whisper-small"
WEIGHTS = bytes(range(256)) * 16_000  # 4 MB, LFS


@pytest.fixture
def hub():
    files = {"config.json": b"{}", "tokenizer.json": b"{} ", "vocabulary.txt": b"a"}
    with hub_of({REPOSITORY: files | {"model.bin": WEIGHTS, "README.md": b"not wanted"}}) as one:
        yield one


@pytest.fixture
def fetch(hub, tmp_path):
    """Run the command; its exit status and what it said."""

    def run(name=NAME, *more, **environment):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "gpu_job.common.hub_download",
                name,
                "--into",
                str(tmp_path / "hub"),
                *more,
            ],
            env=os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path)} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    return run


def test_a_model_is_whole_and_tells_where_it_came_from(fetch, hub, tmp_path):
    status, events = fetch()

    folder = tmp_path / "hub" / NAME
    assert status == 0
    assert (folder / "model.bin").read_bytes() == WEIGHTS
    assert not (folder / "README.md").exists()
    origin = json.loads((folder / "fetched.json").read_text())
    assert origin == {"repository": REPOSITORY, "commit": COMMIT}
    offer = events[0]
    assert (offer["event"], offer["bytes"]) == ("offer", len(WEIGHTS) + 6)
    assert events[-2]["done_bytes"] == offer["bytes"]
    assert events[-1] == {"event": "whole", "folder": str(folder)}


def test_what_is_here_asks_nobody(fetch, hub):
    fetch()
    hub.seen.clear()

    assert fetch()[0] == 0
    assert hub.seen == []


def test_a_line_that_breaks_goes_on_where_it_broke(fetch, hub):
    hub.breaks["model.bin"] = 1_500_000

    assert fetch()[0] == 0
    first, then = (size for file, size in hub.sent if file == "model.bin")
    assert first == 1_500_000
    assert then <= len(WEIGHTS) - first + (1 << 16)


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_file_that_was_begun_is_carried_on_or_begun_anew(fetch, hub, tmp_path, knows_ranges):
    draft = tmp_path / "hub" / f"{NAME}.part"
    draft.mkdir(parents=True)
    (draft / ".commit").write_text(COMMIT)
    (draft / "model.bin.part").write_bytes(WEIGHTS[:3_000_000])
    hub.knows_ranges = knows_ranges

    status, events = fetch()

    assert status == 0
    assert (tmp_path / "hub" / NAME / "model.bin").read_bytes() == WEIGHTS
    assert events[0]["done_bytes"] == 3_000_000
    assert events[-2]["done_bytes"] == events[-2]["bytes"]
    came = sum(size for file, size in hub.sent if file == "model.bin")
    assert came == len(WEIGHTS) - 3_000_000 * knows_ranges


def test_what_was_begun_of_another_commit_is_not_mixed_in(fetch, tmp_path):
    draft = tmp_path / "hub" / f"{NAME}.part"
    draft.mkdir(parents=True)
    (draft / ".commit").write_text("e" * 40)
    (draft / "tokenizer.json").write_bytes(b"of another commit")

    assert fetch()[0] == 0
    assert (tmp_path / "hub" / NAME / "tokenizer.json").read_bytes() == b"{} "


def test_a_file_that_comes_damaged_is_never_used(fetch, hub, tmp_path):
    hub.torn["model.bin"] = WEIGHTS[:-1] + b"x"

    status, events = fetch()

    assert status == 1
    assert "model.bin was damaged in two downloads" in events[-1]["message"]
    assert not (tmp_path / "hub" / NAME).exists()


def test_a_file_that_ends_too_early_ends_the_try(fetch, hub):
    hub.torn["model.bin"] = WEIGHTS[:-9]

    status, events = fetch()

    assert status == 1
    assert "model.bin" in events[-1]["message"]


def in_the_cache(home, *, half):
    """As huggingface_hub leaves a model, whole or killed in the middle."""
    cache = home / "hub" / "models--Systran--faster-whisper-small"
    snapshot = cache / "snapshots" / COMMIT
    for folder in (snapshot, cache / "refs", cache / "blobs"):
        folder.mkdir(parents=True)
    (cache / "refs" / "main").write_text(COMMIT)
    for name in ("config.json", "tokenizer.json", "model.bin"):
        (snapshot / name).write_bytes(b"{}")
    if half:
        (cache / "blobs" / "abc.1234.incomplete").touch()
    return snapshot


@pytest.mark.parametrize("half", [False, True])
def test_what_the_hubs_own_cache_holds_is_used_where_it_is_whole(fetch, hub, tmp_path, half):
    snapshot = in_the_cache(tmp_path / "home", half=half)

    status, events = fetch(HF_HOME=str(tmp_path / "home"))

    assert status == 0
    assert (events[-1]["folder"] == str(snapshot)) is not half
    assert bool(hub.sent) is half


@pytest.mark.parametrize(
    ("name", "environment", "why"),
    [
        ("own/er", {}, "HTTP 401"),
        ("small", {"HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be reached"),
        ("small", {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"),
        ("smal", {}, "large-v3-turbo"),
    ],
)
def test_what_stands_in_the_way_is_one_sentence(fetch, name, environment, why):
    status, events = fetch(name, **environment)

    assert status == 1
    assert why in events[-1]["message"]


def test_a_repository_without_weights_is_no_model(fetch, hub):
    hub.models["own/er"] = {"config.json": b"{}"}

    assert "not a CTranslate2 model" in fetch("own/er")[1][-1]["message"]


def test_a_look_fetches_nothing(fetch, hub, tmp_path):
    status, events = fetch(NAME, "--look")

    assert (status, events[0]["bytes"]) == (0, len(WEIGHTS) + 6)
    assert not (tmp_path / "hub").exists()
    assert hub.sent == []


def test_the_names_that_people_may_use_are_those_of_the_engine():
    from faster_whisper.utils import _MODELS

    from escriba.model_names import REPOSITORIES

    assert REPOSITORIES == _MODELS
