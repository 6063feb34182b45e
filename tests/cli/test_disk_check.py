"""Doctor looks at every disk that is written to, and at models that it may not read."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.checks.disk_check import disks
from cli.checks.model_check import model
from escriba.errors import BackendUnavailableError
from escriba.settings import load_settings
from resources.gpu.fetch_models import ensure_model
from resources.gpu.registry import has_remote
from tests.conftest import SYSTEMS_TEMPORARY


@pytest.fixture
def settings(tmp_path):
    return load_settings(
        storage_url=(tmp_path / "bucket").as_uri(),
        dagster_home=tmp_path / "home",
        costs_database=tmp_path / "costs" / "costs.duckdb",
        models_folder=tmp_path / "models",
        model="small",
    )


def test_all_of_them_on_one_disk_are_one_line(settings):
    [found] = disks(settings)

    names = ("STORAGE_URL", "TMPDIR", "DAGSTER_HOME", "COSTS_DATABASE", "MODELS_FOLDER")
    assert all(name in found.found for name in names)


@pytest.mark.parametrize(("free_gb", "state"), [(500, "well"), (3, "odd"), (0.01, "broken")])
def test_what_is_nearly_full_is_told_of(settings, monkeypatch, free_gb, state):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free_gb * 1e9))

    [found] = disks(settings)

    assert found.state == state
    assert bool(found.advice) == (state != "well")


def test_a_folder_in_which_nothing_can_be_written_is_broken(settings, tmp_path):
    (tmp_path / "home").write_text("a file")

    broken = [one for one in disks(settings) if one.state == "broken"]

    assert [("DAGSTER_HOME" in one.found, one.what) for one in broken] == [(True, "disk")]


def test_models_that_only_another_user_can_read_are_a_sentence(settings, tmp_path):
    folder = tmp_path / "models" / "hub" / "small"
    folder.mkdir(parents=True)
    (folder / "fetched.json").write_text("{}")
    (folder / "model.bin").write_bytes(b"1")
    own = (path for path in tmp_path.parents if path.is_relative_to(SYSTEMS_TEMPORARY))
    for path in (path for path in own if path != Path(SYSTEMS_TEMPORARY)):
        path.chmod(0o755)
    tmp_path.chmod(0o755)
    folder.chmod(0o700)
    assert not has_remote(settings)  # loads what nobody else may read
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    else:
        folder.chmod(0)
    try:
        with pytest.raises(BackendUnavailableError, match="MODELS_FOLDER: this user may not read"):
            ensure_model(settings, "small", print)
        [found] = [one for one in model(settings) if one.state == "broken"]
    finally:
        os.seteuid(user)
        folder.chmod(0o700)

    assert "chmod -R a+rX" in found.found
