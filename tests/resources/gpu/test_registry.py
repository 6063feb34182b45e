"""Which backends there are, and which of them may have jobs by the settings."""

import ast
import importlib
import pkgutil
import sys

import pytest

from escriba.backend_names import BACKENDS, SPEAKERS_ALONE, TITLES
from escriba.settings import HOUSE, SettingsError, load_settings
from resources.gpu import backends, registry
from resources.gpu.registry import open_backends

ROOMS = ("api", "assets", "cli", "escriba", "intake", "pipelines", "resources", "sensors")
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
    monkeypatch.setattr(registry, "BACKENDS", ("local", "runpod"))
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
        "PRIMARY_BACKEND: runpod is not set up. Set RUNPOD_API_KEY and RUNPOD_ENDPOINT_ID, or "
        "choose another."
    )


def test_a_primary_that_this_version_does_not_have_is_refused_with_those_it_has(two):
    with pytest.raises(SettingsError) as caught:
        load_settings(primary_backend="cloud_gpu")

    assert str(caught.value) == (
        "Invalid settings. PRIMARY_BACKEND: this version has no backend 'cloud_gpu'; it has "
        f"{', '.join(one for one in BACKENDS if one not in SPEAKERS_ALONE)}, or 'auto'"
    )


def test_a_primary_that_nobody_knows_is_refused_by_the_settings():
    with pytest.raises(SettingsError, match="PRIMARY_BACKEND"):
        load_settings(primary_backend="cloud")


@pytest.mark.parametrize("name", BACKENDS)
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


def test_the_one_list_of_names_is_that_of_the_modules():
    assert sorted(module.name for module in pkgutil.iter_modules(backends.__path__)) == sorted(
        BACKENDS
    )
    assert set(BACKENDS) <= TITLES.keys()


@pytest.mark.parametrize("name", ["auto", *(one for one in BACKENDS if one not in SPEAKERS_ALONE)])
def test_every_backend_of_this_version_may_be_the_primary_one(name):
    assert load_settings(primary_backend=name).primary_backend == name


@pytest.mark.parametrize("name", sorted(SPEAKERS_ALONE))
def test_what_finds_speakers_alone_is_no_primary_but_may_have_the_speakers(name):
    with pytest.raises(SettingsError, match="name it in SPEAKERS_BACKEND"):
        load_settings(primary_backend=name)
    assert load_settings(speakers_backend=name).speakers_backend == name


def test_speakers_are_found_by_a_backend_that_is_set_up_or_by_nobody():
    with pytest.raises(SettingsError, match=r"SPEAKERS_BACKEND: pyannote_ai is not set up\. Set P"):
        open_backends(load_settings(speakers_backend="pyannote_ai"))
    with pytest.raises(SettingsError, match="DIARIZER=none does not"):
        load_settings(speakers_backend="local", diarizer="none")


def test_a_service_for_speakers_leaves_the_words_to_this_machine():
    settings = load_settings(pyannote_ai_api_key="key")

    assert [one.name for one in open_backends(settings)] == ["pyannote_ai", "local"]
    assert not registry.has_remote(settings)


def test_this_machine_finds_speakers_alone_where_a_cloud_has_the_words():
    settings = load_settings(runpod_endpoint_id="e", runpod_api_key="key", speakers_backend="local")

    cloud, here = open_backends(settings)

    assert (cloud.name, here.name) == ("runpod", "local")
    assert cloud.capabilities.transcription
    assert not here.capabilities.transcription


def test_no_other_file_spells_a_backends_name():
    """Such as a list of its own, which the next backend would be missing from."""
    alone = TITLES.keys() - {"local", "runpod", "openai"}  # which mean other things, too
    files = [path for room in ROOMS for path in (HOUSE / room).rglob("*.py")]
    spelt = {
        str(path.relative_to(HOUSE))
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in alone
    }

    assert spelt == {"escriba/backend_names.py"}
