"""The speech model is had before the work begins: told with its size, and a bar in a terminal."""

from collections.abc import Iterable

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from assets.options import tenant_options, tenant_wishes
from pipelines.settings import Settings
from resources.gpu.fetching import fetched_folder, must_be_had
from resources.gpu.model_choice import model_of
from resources.gpu.registry import has_remote


def ready_models(
    settings: Settings, out: Console, tenants: Iterable[str] | None = None, *, quiet: bool = False
) -> None:
    """Fetch what this machine will need for these tenants (None: for all), where it works at all.

    Raises:
        BackendUnavailableError: a model cannot be had; says what to do.
        SettingsError: tenants.yaml is wrong.
    """
    wishes = tenant_wishes(settings.tenants_file)
    if settings.primary_backend != "local" and has_remote(settings):
        return  # its workers have their models; one here is fetched where it has to take over
    known = wishes if tenants is None else tenants
    models = {tenant_options(tenant, settings).job.model for tenant in known}
    for model in sorted(models | {model_of(settings)}):
        _fetch(settings, model, out, quiet=quiet)


def _fetch(settings: Settings, model: str, out: Console, *, quiet: bool) -> None:
    shown = out.is_terminal and not quiet
    bar = Progress(
        "{task.description}", BarColumn(24), DownloadColumn(), TransferSpeedColumn(), console=out
    )
    task = bar.add_task(model)

    def heard(event: dict[str, object]) -> None:
        if event["event"] == "offer":
            _say(out, _sentence(settings, model, event), quiet=quiet)
            bar.update(task, total=_number(event, "bytes"))
            if shown:
                bar.start()
        if "done_bytes" in event:
            bar.update(task, completed=_number(event, "done_bytes"))

    try:
        must_be_had(settings, model, heard)
    finally:
        bar.stop()


def _sentence(settings: Settings, model: str, event: dict[str, object]) -> str:
    size, have = _number(event, "bytes"), _number(event, "done_bytes")
    left = f", of which {have / 1e6:,.0f} MB are here already" if have else ""
    return (
        f"MODEL={model}: {size / 1e6:,.0f} MB are fetched once from the hub "
        f"({event['repository']}) into {fetched_folder(settings)}{left}."
    )


def _say(out: Console, text: str, *, quiet: bool) -> None:
    """Not among what programs read."""
    if quiet:
        click.echo(text, err=True)
    else:
        out.print(text)


def _number(event: dict[str, object], name: str) -> int:
    value = event.get(name, 0)
    return value if isinstance(value, int) else 0
