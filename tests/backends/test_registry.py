"""Which backends there are, and which of them may have jobs by the settings."""

import importlib
import sys
from typing import get_args

import pytest

from pipelines.settings import Settings, SettingsError, load_settings
from resources.gpu import backends, registry
from resources.gpu.registry import backend_names, open_backends

LOCAL = """
NEEDS = "nothing"

def is_set_up(settings):
    return True

def open_backends(settings):
    return ["local"]
"""
RUNPOD = """
NEEDS = "RUNPOD_API_KEY and RUNPOD_ENDPOINT_ID"

def is_set_up(settings):
    return bool(settings.runpod_endpoint_id)

def open_backends(settings):
    return ["runpod l4", "runpod h100"] if settings.runpod_endpoint_id else []
"""


@pytest.fixture
def two(tmp_path, monkeypatch):
    """A version that has a cloud and this machine, and nothing else."""
    (tmp_path / "local.py").write_text(LOCAL)
    (tmp_path / "runpod.py").write_text(RUNPOD)
    monkeypatch.setattr(backends, "__path__", [str(tmp_path)])
    loaded = {name: module for name, module in sys.modules.items() if _is_of_backends(name)}
    attributes = {name: getattr(backends, name, None) for name in ("local", "runpod")}
    for name in loaded:
        del sys.modules[name]
    importlib.invalidate_caches()
    yield
    for name in [name for name in sys.modules if _is_of_backends(name)]:
        del sys.modules[name]
    sys.modules.update(loaded)
    for name, module in attributes.items():
        if module is not None:
            setattr(backends, name, module)
        elif hasattr(backends, name):
            delattr(backends, name)


def _is_of_backends(name):
    return name.startswith(f"{backends.__name__}.")


@pytest.mark.parametrize("settings", [{}, {"primary_backend": "local"}, {"local_fallback": True}])
def test_where_nothing_is_set_up_jobs_run_on_this_machine(two, settings):
    assert open_backends(load_settings(**settings)) == ["local"]


def test_where_a_cloud_is_set_up_this_machine_stays_out_of_it(two):
    settings = load_settings(runpod_endpoint_id="e")

    assert open_backends(settings) == ["runpod l4", "runpod h100"]


@pytest.mark.parametrize("wish", [{"local_fallback": True}, {"primary_backend": "local"}])
def test_this_machine_stands_beside_a_cloud_where_that_is_wished_for(two, wish):
    settings = load_settings(runpod_endpoint_id="e", **wish)

    assert open_backends(settings) == ["runpod l4", "runpod h100", "local"]


def test_a_primary_that_is_not_set_up_names_what_it_needs(two):
    with pytest.raises(SettingsError) as caught:
        open_backends(load_settings(primary_backend="runpod", local_fallback=True))

    assert str(caught.value) == (
        "PRIMARY_BACKEND: runpod needs RUNPOD_API_KEY and RUNPOD_ENDPOINT_ID."
    )


def test_a_primary_that_this_version_does_not_have_is_refused_with_those_it_has(two):
    with pytest.raises(SettingsError) as caught:
        open_backends(load_settings(primary_backend="gcp_gpu"))

    assert str(caught.value) == (
        "PRIMARY_BACKEND: this version has no 'gcp_gpu'; it has local, runpod, or 'auto'."
    )


def test_a_primary_that_nobody_knows_is_refused_by_the_settings():
    with pytest.raises(SettingsError, match="PRIMARY_BACKEND"):
        load_settings(primary_backend="cloud")


@pytest.mark.parametrize("name", backend_names())
def test_every_module_is_a_backend_that_opens_without_asking_anybody(name):
    module = registry._module(name)

    assert module.NEEDS
    for backend in module.open_backends(load_settings()):
        assert backend.name == name
        assert backend.sku


def test_without_any_setting_all_that_is_opened_is_this_machine():
    [backend] = open_backends(load_settings())

    assert (backend.name, backend.sku) == ("local", "this-machine")
    assert not backend.capabilities.paid


def test_every_primary_that_the_settings_know_is_a_name_of_this_version_or_of_a_later_one():
    known = set(get_args(Settings.model_fields["primary_backend"].annotation))

    assert set(backend_names()) - {"pyannote_ai"} <= known
