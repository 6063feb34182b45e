"""The registry of backends: the modules of `backends/`, and which of them are set up."""

import importlib
from dataclasses import replace
from typing import Protocol, cast

from escriba.backend_names import BACKENDS, LOCAL, SPEAKERS_ALONE
from escriba.settings import Settings, SettingsError

from .backend import Backend

_BACKENDS = f"{__package__}.backends"


class BackendModule(Protocol):
    """The interface of a module in `backends/`. NEEDS names the settings that set it up."""

    NEEDS: str

    def is_set_up(self, settings: Settings) -> bool:
        """Whether the settings set it up; opens nothing."""
        ...

    def open_backends(self, settings: Settings) -> list[Backend]:
        """One backend for each kind of machine that is set up, or none. Makes no request."""
        ...


def has_remote(settings: Settings) -> bool:
    """Whether a backend other than this machine can transcribe here. Makes no request."""
    remote = (name for name in BACKENDS if name not in {LOCAL, *SPEAKERS_ALONE})
    return any(_module(name).is_set_up(settings) for name in remote)


def needs_of(name: str) -> str:
    """The settings that set a backend up."""
    return _module(name).NEEDS


def open_backends(settings: Settings) -> list[Backend]:
    """All backends that may run jobs: those that are set up, and this machine unless excluded.

    With SPEAKERS_BACKEND=local, an excluded machine still finds the speakers.

    Raises:
        SettingsError: PRIMARY_BACKEND or SPEAKERS_BACKEND is not set up.
    """
    primary = settings.primary_backend
    opened = {name: _module(name).open_backends(settings) for name in BACKENDS}
    for setting, name in (
        ("PRIMARY_BACKEND", primary),
        ("SPEAKERS_BACKEND", settings.speakers_backend or "auto"),
    ):
        if name != "auto" and not opened[name]:
            raise SettingsError(
                f"{setting}: {name} is not set up. Set {needs_of(name)}, or choose another."
            )
    others = [backend for name, found in opened.items() if name != LOCAL for backend in found]
    transcribing = any(opened[name] for name in opened if name not in {LOCAL, *SPEAKERS_ALONE})
    if primary == LOCAL or settings.local_fallback or not transcribing:
        return [*others, *opened[LOCAL]]
    if settings.speakers_backend == LOCAL:
        return [*others, *map(_for_speakers_alone, opened[LOCAL])]
    return others


def _for_speakers_alone(backend: Backend) -> Backend:
    backend.capabilities = replace(backend.capabilities, transcription=False)
    return backend


def _module(name: str) -> BackendModule:
    """Imported on first use, since each backend needs its own libraries."""
    return cast("BackendModule", importlib.import_module(f"{_BACKENDS}.{name}"))
