"""A model that the provider put into a folder laid out like the hub's cache."""

import os
import shutil

import pytest

from gpu_job.cold_start import measure
from gpu_job.common.errors import JobFailedError
from gpu_job.common.hub_download import origin_of
from gpu_job.common.model_cache import cached_model, files_of
from gpu_job.common.settings import WorkerSettings
from resources.demo_models import unpack_demo_models

NEEDED = ("config.json", "model.bin")


@pytest.fixture
def cache(tmp_path):
    """As RunPod mounts it; `snapshot` adds a commit whose files link to blobs."""
    folder = tmp_path / "huggingface-cache" / "hub"
    folder.mkdir(parents=True)
    return folder


def snapshot(cache, repository, commit, names=NEEDED, at=1_000):
    owned = cache / f"models--{repository.replace('/', '--')}"
    found = owned / "snapshots" / commit
    found.mkdir(parents=True)
    (owned / "blobs").mkdir(exist_ok=True)
    for name in names:
        blob = owned / "blobs" / f"{commit}-{name}"
        blob.write_bytes(b"1")
        (found / name).symlink_to(blob)
    os.utime(found, (at, at))
    return found


def test_the_snapshot_of_a_repository_is_found_by_its_name(cache):
    there = snapshot(cache, "acme/small-ct2", "c0ffee")

    assert cached_model(cache, "acme/small-ct2", NEEDED) == there
    assert origin_of(there) == "acme/small-ct2@c0ffee"
    assert cached_model(cache, "acme/small", NEEDED) is None
    assert cached_model(cache / "gone", "acme/small-ct2", NEEDED) is None
    assert cached_model(None, "acme/small-ct2", NEEDED) is None


def test_of_several_the_one_that_main_names_wins_and_then_the_newest(cache):
    older = snapshot(cache, "acme/small", "aaaa", at=1_000)
    newer = snapshot(cache, "acme/small", "bbbb", at=2_000)
    assert cached_model(cache, "acme/small", NEEDED) == newer

    refs = cache / "models--acme--small" / "refs"
    refs.mkdir()
    (refs / "main").write_text("aaaa\n")
    assert cached_model(cache, "acme/small", NEEDED) == older


def test_a_snapshot_that_lacks_a_file_is_not_taken(cache):
    snapshot(cache, "acme/small", "aaaa", names=["config.json"])
    torn = snapshot(cache, "acme/small", "bbbb")
    (cache / "models--acme--small" / "blobs" / "bbbb-model.bin").unlink()

    assert torn.is_dir()
    assert cached_model(cache, "acme/small", NEEDED) is None


def test_files_of_a_short_name_are_found_without_the_list_of_names(cache):
    there = snapshot(cache, "acme/faster-whisper-small", "aaaa")

    assert {*files_of(cache, "small")} == {there / name for name in NEEDED}
    assert [*files_of(cache, "medium")] == []
    assert [*files_of(None, "small")] == []


def test_a_worker_without_the_model_in_its_image_loads_the_cached_one(cache, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # as in the image
    demo = unpack_demo_models(tmp_path / "demo")
    there = snapshot(cache, "acme/demo-ct2", "aaaa", names=[])
    shutil.copytree(demo / "demo", there, dirs_exist_ok=True)
    steps = []
    settings = WorkerSettings(
        tmp_path / "models",
        model="acme/demo-ct2",
        diarizer="none",
        device="cpu",
        model_cache=cache,
    )

    measure(settings, lambda name, _: steps.append(name))

    assert steps[-1] == "all"
    shutil.rmtree(there)
    with pytest.raises(JobFailedError, match=r"not in MODEL_CACHE=.*select it as the endpoint's"):
        measure(settings, lambda name, _: None)
