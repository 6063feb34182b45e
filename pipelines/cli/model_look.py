"""Whether the speech model can be had, as `escriba doctor` tells it."""

from collections.abc import Iterator
from pathlib import Path

from assets.options import tenant_wishes
from gpu_job.translating import cannot_translate
from pipelines.settings import Settings, SettingsError
from pipelines.speech_models import AUTO, DEMO_MODEL
from resources.failures import BackendUnavailableError
from resources.gpu.fetching import advice, look_for, must_be_named
from resources.gpu.model_choice import model_of
from resources.gpu.registry import has_remote

from .findings import Finding

_WHAT = "model"


def model(settings: Settings) -> Iterator[Finding]:
    """The demo, a folder, a name of the hub, or one that nobody knows."""
    name = model_of(settings)
    if settings.translate and (why := cannot_translate(name)):
        found = f"TRANSLATE=true, and {name} cannot: {why}"
        yield Finding(what=_WHAT, state="odd", found=found, advice="Take MODEL=large-v3 or medium.")
    yield from _of_tenants(settings)
    if name == DEMO_MODEL:
        yield from _demo(settings)
    elif Path(name).is_dir():
        yield _folder(name)
    elif settings.primary_backend != "local" and has_remote(settings):
        found = f"{_named(settings, name)}; the workers elsewhere have it in their image"
        yield Finding(what=_WHAT, state="well", found=found)
    else:
        yield _of_the_hub(settings, name)


def _of_tenants(settings: Settings) -> Iterator[Finding]:
    """Models that tenants wish for and nobody knows; what is wrong with the file is told there."""
    try:
        wishes = tenant_wishes(settings.tenants_file)
    except SettingsError:
        return
    for tenant, wish in wishes.items():
        try:
            if wish.model not in {None, AUTO}:
                must_be_named(wish.model or "")
        except BackendUnavailableError as error:
            found = f"tenant {tenant}: {error}"
            told = f"Correct it in {settings.tenants_file.name}."
            yield Finding(what=_WHAT, state="broken", found=found, advice=told)


def _demo(settings: Settings) -> Iterator[Finding]:
    from resources.models import unpack_demo_models

    try:
        unpack_demo_models(settings.models_folder)
    except BackendUnavailableError as error:
        yield Finding(what=_WHAT, state="broken", found=str(error))
        return
    take_out = (
        "For real recordings take MODEL=demo out, or set MODEL=small, another name, a folder."
    )
    found = "demo, a toy that knows some 200 words"
    yield Finding(what=_WHAT, state="odd", found=found, advice=take_out)


def _folder(name: str) -> Finding:
    whole = (Path(name) / "model.bin").is_file()
    found = f"{name}, a folder {'with' if whole else 'without'} a model.bin"
    told = "" if whole else "Give a folder with a CTranslate2 model as MODEL."
    return Finding(what=_WHAT, state="well" if whole else "broken", found=found, advice=told)


def _of_the_hub(settings: Settings, name: str) -> Finding:
    try:
        must_be_named(name)
        told = look_for(settings, name)
    except BackendUnavailableError as error:
        advice_ = "Correct MODEL; without it, one is chosen."
        return Finding(what=_WHAT, state="broken", found=str(error), advice=advice_)
    if told["event"] == "failed":
        found = f"{_named(settings, name)} cannot be had"
        return Finding(
            what=_WHAT, state="broken", found=found, advice=advice(name, str(told["message"]))
        )
    if told["event"] == "whole":
        return Finding(what=_WHAT, state="well", found=f"{_named(settings, name)}, here")
    size = told["bytes"] if isinstance(told["bytes"], int) else 0
    found = f"{_named(settings, name)}, {size / 1e6:,.0f} MB, to be fetched by the first run"
    return Finding(what=_WHAT, state="well", found=found)


def _named(settings: Settings, name: str) -> str:
    return f"{name} (MODEL=auto)" if settings.model == AUTO else name
