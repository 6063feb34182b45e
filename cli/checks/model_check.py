"""Checks that the speech model is available."""

from collections.abc import Iterator
from pathlib import Path

from escriba.backend_names import LOCAL
from escriba.errors import BackendUnavailableError
from escriba.model_names import AUTO, DEMO_MODEL
from escriba.settings import Settings, SettingsError
from gpu_job.contract.api_presets import API_MODELS
from gpu_job.contract.translation_support import cannot_translate
from intake.recording_options import tenant_overrides
from resources.gpu.fetch_models import advice, check_hub, hub_repository, is_downloaded
from resources.gpu.model_choice import model_of
from resources.gpu.registry import has_remote

from .finding import Finding

_WHAT = "model"


def model(settings: Settings) -> Iterator[Finding]:
    """Check MODEL: the demo, a folder, or a name on the hub; and the tenants' models."""
    try:
        name = model_of(settings)
    except BackendUnavailableError as error:
        yield Finding(what=_WHAT, state="broken", found=str(error))
        return
    if settings.translate and (why := cannot_translate(name)):
        found = f"TRANSLATE=true, but {name} cannot translate: {why}"
        advice_ = "Set MODEL=large-v3 or medium."
        yield Finding(what=_WHAT, state="odd", found=found, advice=advice_)
    yield from _of_tenants(settings)
    if name == DEMO_MODEL:
        yield from _demo(settings)
    elif name in API_MODELS:
        yield _of_an_api(settings, name)
    elif Path(name).is_dir():
        yield _folder(name)
    elif settings.primary_backend != LOCAL and has_remote(settings):
        found = f"{_named(settings, name)}; remote workers have it in their image"
        yield Finding(what=_WHAT, state="well", found=found)
    else:
        yield _of_the_hub(settings, name)


def _of_tenants(settings: Settings) -> Iterator[Finding]:
    """Yield tenants' models that do not exist; errors in the file are reported by `tenants`."""
    try:
        overrides = tenant_overrides(settings.tenants_file)
    except SettingsError:
        return
    for tenant, override in overrides.items():
        try:
            if override.model not in {None, AUTO}:
                hub_repository(override.model or "")
        except BackendUnavailableError as error:
            found = f"tenant {tenant}: {error}"
            fix = f"Correct it in {settings.tenants_file.name}."
            yield Finding(what=_WHAT, state="broken", found=found, advice=fix)


def _demo(settings: Settings) -> Iterator[Finding]:
    from resources.demo_models import unpack_demo_models

    try:
        unpack_demo_models(settings.models_folder)
    except BackendUnavailableError as error:
        yield Finding(what=_WHAT, state="broken", found=str(error))
        return
    fix = "For real recordings, remove MODEL=demo, or set MODEL=small, another name or a folder."
    found = "demo, a toy that knows about 200 words"
    yield Finding(what=_WHAT, state="odd", found=found, advice=fix)


def _folder(name: str) -> Finding:
    whole = (Path(name) / "model.bin").is_file()
    found = f"{name}, a folder {'with' if whole else 'without'} a model.bin"
    fix = "" if whole else "Set MODEL to a folder with a CTranslate2 model."
    return Finding(what=_WHAT, state="well" if whole else "broken", found=found, advice=fix)


def _of_an_api(settings: Settings, name: str) -> Finding:
    """Whether the API of the settings has the model that no worker can load."""
    if settings.openai_model == name:
        return Finding(what=_WHAT, state="well", found=f"{name}, behind an API")
    return Finding(
        what=_WHAT,
        state="broken",
        found=f"{name} exists only behind an API, and none is set up with it",
        advice=f"Set OPENAI_MODEL={name} and OPENAI_API_KEY (docs/backends/openai.md).",
    )


def _of_the_hub(settings: Settings, name: str) -> Finding:
    try:
        is_downloaded(settings, name)
    except BackendUnavailableError as error:
        return Finding(what=_WHAT, state="broken", found=str(error))
    try:
        hub_repository(name)
        event = check_hub(settings, name)
    except BackendUnavailableError as error:
        advice_ = "Correct MODEL, or remove it: Escriba then chooses a model."
        return Finding(what=_WHAT, state="broken", found=str(error), advice=advice_)
    if event["event"] == "failed":
        found = f"{_named(settings, name)} is not available"
        return Finding(
            what=_WHAT, state="broken", found=found, advice=advice(name, str(event["message"]))
        )
    if event["event"] == "whole":
        found = f"{_named(settings, name)}, on this machine"
        return Finding(what=_WHAT, state="well", found=found)
    size = event["bytes"] if isinstance(event["bytes"], int) else 0
    found = f"{_named(settings, name)}, {size / 1e6:,.0f} MB; the first run downloads it"
    return Finding(what=_WHAT, state="well", found=found)


def _named(settings: Settings, name: str) -> str:
    return f"{name} (MODEL=auto)" if settings.model == AUTO else name
