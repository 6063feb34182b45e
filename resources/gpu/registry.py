"""Which backends there are: the modules of `backends/`, each with what is set up of it."""

import importlib
import pkgutil
from typing import Protocol, cast

from pipelines.settings import Settings, SettingsError

from . import backends
from .base import Backend


class BackendModule(Protocol):
    """What a module of `backends/` offers. NEEDS names the settings that set it up."""

    NEEDS: str

    def is_set_up(self, settings: Settings) -> bool:
        """Whether the settings name a machine of it; opens nothing."""
        ...

    def open_backends(self, settings: Settings) -> list[Backend]:
        """One for each kind of machine that is set up; empty where it is not. Asks nobody."""
        ...


def backend_names() -> list[str]:
    """Every backend of this version, in the order of their names."""
    return sorted(module.name for module in pkgutil.iter_modules(backends.__path__))


def has_remote(settings: Settings) -> bool:
    """Whether a backend beyond this machine is set up. Asks nobody."""
    remote = (name for name in backend_names() if name != "local")
    return any(_module(name).is_set_up(settings) for name in remote)


def open_backends(settings: Settings) -> list[Backend]:
    """All that may have jobs: those that are set up, and this machine where it is wanted.

    Raises:
        SettingsError: PRIMARY_BACKEND is not set up, or this version has no such backend.
    """
    primary = settings.primary_backend
    if primary not in {"auto", *backend_names()}:
        raise SettingsError(
            f"PRIMARY_BACKEND: this version has no {primary!r}; it has {', '.join(backend_names())}"
            ", or 'auto'."
        )
    opened = {name: _module(name).open_backends(settings) for name in backend_names()}
    if primary != "auto" and not opened[primary]:
        raise SettingsError(f"PRIMARY_BACKEND: {primary} needs {_module(primary).NEEDS}.")
    others = [backend for name, found in opened.items() if name != "local" for backend in found]
    wants_local = primary == "local" or settings.local_fallback or not others
    return [*others, *(opened["local"] if wants_local else [])]


def _module(name: str) -> BackendModule:
    """Each backend brings its own libraries: nothing of it is imported before."""
    return cast("BackendModule", importlib.import_module(f"{backends.__name__}.{name}"))
