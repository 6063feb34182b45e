"""Downloads the speech model before a run starts, with its size and a progress bar."""

from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from cli.cli_context import say
from escriba.backend_names import LOCAL
from escriba.settings import Settings
from intake.recording_options import tenant_options, tenant_overrides
from resources.gpu.fetch_models import ensure_model, fetched_folder
from resources.gpu.model_choice import model_of
from resources.gpu.registry import has_remote


def ready_models(
    settings: Settings, out: Console, tenants: Iterable[str] | None = None, *, quiet: bool = False
) -> None:
    """Download the models that this machine needs for these tenants (None: all tenants).

    Does nothing if another backend is preferred.

    Raises:
        BackendUnavailableError: a model is not available; says what to do.
        SettingsError: tenants.yaml is invalid.
    """
    overrides = tenant_overrides(settings.tenants_file)
    if settings.primary_backend != LOCAL and has_remote(settings):
        return  # remote workers have models; as a fallback this machine downloads its own later
    known = overrides if tenants is None else tenants
    models = {tenant_options(tenant, settings).job.model for tenant in known}
    for model in sorted(models | {model_of(settings)}):
        _fetch(settings, model, out, quiet=quiet)


def _fetch(settings: Settings, model: str, out: Console, *, quiet: bool) -> None:
    shown = out.is_terminal and not quiet
    bar = Progress(
        "{task.description}", BarColumn(24), DownloadColumn(), TransferSpeedColumn(), console=out
    )
    task = bar.add_task(model)

    def on_progress(event: dict[str, object]) -> None:
        if event["event"] == "offer":
            _tell(out, _sentence(settings, model, event), quiet=quiet)
            bar.update(task, total=_number(event, "bytes"))
            if shown:
                bar.start()
        if "done_bytes" in event:
            bar.update(task, completed=_number(event, "done_bytes"))

    try:
        ensure_model(settings, model, on_progress)
    finally:
        bar.stop()


def _sentence(settings: Settings, model: str, event: dict[str, object]) -> str:
    size, have = _number(event, "bytes"), _number(event, "done_bytes")
    already = f" ({have / 1e6:,.0f} MB of it already downloaded)" if have else ""
    return (
        f"MODEL={model}: downloading {size / 1e6:,.0f} MB once from the hub "
        f"({event['repository']}) to {fetched_folder(settings)}{already}."
    )


def _tell(out: Console, text: str, *, quiet: bool) -> None:
    """Print on standard output, or on standard error if --json uses the former."""
    if quiet:
        say(text)
    else:
        out.print(text)


def _number(event: dict[str, object], name: str) -> int:
    value = event.get(name, 0)
    return value if isinstance(value, int) else 0
