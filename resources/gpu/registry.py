"""Which backend a setting means."""

from pipelines.settings import Settings

from .base import Backend


def open_backend(settings: Settings) -> Backend:
    """The backend of PRIMARY_BACKEND; 'auto' is this machine as long as there is no other."""
    from .local import LocalBackend  # noqa: PLC0415  # each backend brings its own libraries

    return LocalBackend(settings)
