"""`escriba serve`: one of the processes of `escriba up` alone, for an engine that supervises it."""

import os
import sys
from pathlib import Path
from tempfile import gettempdir

import click

from cli.cli_context import console
from cli.dagster_home import dagster_home
from cli.processes.code_location import code_command, write_workspace
from cli.processes.part_environment import PASSWORD, part_environment
from escriba.settings import Settings, load_settings

_PORTS = {"ui": 3000, "files": 3001}
_SOCKET = Path(gettempdir()) / "escriba" / "code.sock"


@click.command()
@click.argument("part", type=click.Choice(["code", "daemon", "ui", "files"]))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of ui or files.")
@click.option("--port", type=int, help="Port of ui (3000) or files (3001).")
@click.option(
    "--socket",
    type=click.Path(path_type=Path),
    default=_SOCKET,
    show_default=True,
    help="Socket of the code location.",
)
@click.option("--read-only", is_flag=True, help="Start a UI in which nothing can be launched.")
def command(part: str, host: str, port: int | None, socket: Path, *, read_only: bool) -> None:
    """Start one part of Escriba in place of this process: code, daemon, ui or files.

    The code location comes first: it starts the runs, creates Dagster's tables, and ends the runs
    of an earlier one. daemon and ui find it at --socket.
    """
    from cli.commands.up import check_login, check_name

    settings = load_settings()
    if part in _PORTS:
        check_login(settings, host)
        check_name(settings, host)
    port = port or _PORTS.get(part, 0)
    environment = part_environment(settings, f"http://{host}:{_PORTS['files']}")
    if part in _PORTS:
        environment[PASSWORD] = settings.ui_password.get_secret_value()
    if part == "code":
        _prepare(settings, socket)
    arguments = part_command(part, socket, host, port, read_only=read_only)
    os.execve(sys.executable, arguments, environment)  # noqa: S606  # modules of this package


def part_command(part: str, socket: Path, host: str, port: int, *, read_only: bool) -> list[str]:
    """The command line of a part; writes the workspace that daemon and ui are given."""
    python, listen = [sys.executable, "-m"], ["--host", host, "--port", str(port)]
    if part == "code":
        return code_command(socket)
    if part == "files":
        return [*python, "api.files_page", *listen]
    workspace = str(write_workspace(Path(gettempdir()) / f"escriba-{part}.yaml", socket))
    if part == "daemon":
        return [*python, "dagster._daemon", "run", "-w", workspace, "--log-level", "warning"]
    options = ["--workspace", workspace, *(["--read-only"] if read_only else [])]
    return [*python, "api.dagster_ui", *listen, *options]


def _prepare(settings: Settings, socket: Path) -> None:
    """Before the code location starts: models, up-to-date tables, ends of an earlier one's runs."""
    from cli.runs.fetch_models import ready_models
    from cli.runs.leftover_runs import end_leftovers
    from cli.runs.run_recordings import open_instance

    dagster_home(settings)
    ready_models(settings, console())
    socket.parent.mkdir(parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)  # of a killed one; its runs ended with it
    with open_instance(settings) as instance:
        instance.upgrade()  # of the tables, after a new version of Dagster; else it does nothing
    left = end_leftovers(settings)
    if left:
        console().print(f"Resuming {left} interrupted run{'s' * (left != 1)}.")
