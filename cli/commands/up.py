"""`escriba up`: start Dagster's UI, daemon and code location, until Ctrl-C."""

import socket
import sys
import time
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import click
from rich.console import Console

from cli.cli_context import console, open_context
from cli.dagster_home import dagster_home
from cli.processes.child_processes import ChildProcesses, child_processes
from cli.processes.code_location import code_command, write_workspace
from cli.processes.one_at_a_time import only_up
from cli.processes.part_environment import METRICS_TOKEN, PASSWORD, part_environment
from cli.runs.fetch_models import ready_models
from escriba.settings import Settings
from escriba.settings.field_types import comma_separated, is_address

_READY_SECONDS = 180.0
LOOPBACK = "127.0.0.1"
_CODE, _DAEMON, _UI, _FILES = "code location", "daemon", "UI", "files"
_METRICS = "metrics"


@click.command()
@click.option("--host", default=LOOPBACK, show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=3000,
    show_default=True,
    help="Port of the UI; files and metrics use the next two.",
)
@click.option("--read-only", is_flag=True, help="Start a UI in which nothing can be launched.")
def command(host: str, port: int, *, read_only: bool) -> None:
    """Start Dagster's UI, its daemon (sensors, schedules, queue) and the code location.

    Before --host is an address that other machines can reach, set UI_PASSWORD or let a proxy log
    people in (docs/operations.md).
    """
    settings, storage = open_context()
    check_login(settings, host)
    check_name(settings, host)
    with only_up(dagster_home(settings), port):
        ready_models(settings, console())
        code = serve(settings, storage.url, host, port, read_only=read_only)
    sys.exit(code)


def serve(settings: Settings, bucket: str, host: str, port: int, *, read_only: bool) -> int:
    """Run until Ctrl-C (returns 0) or until one of the processes exits by itself (2)."""
    from cli.runs.leftover_runs import end_leftovers

    for wanted in (port, port + 1):
        check_port(host, wanted)
    if settings.metrics:
        check_port(_metrics_host(settings, host), port + 2)
    # not logs/: Dagster uploads files in that folder, even with its telemetry disabled
    out, logs = console(), dagster_home(settings) / "output"
    of_children = part_environment(settings, f"http://{host}:{port + 1}")
    with TemporaryDirectory(prefix="escriba-") as folder:
        try:
            with child_processes(of_children, logs) as children:
                code = _start_code(children, Path(folder))
                # also creates Dagster's tables, before two processes would do so concurrently
                left = end_leftovers(settings)
                _wait_for(code, children)
                _start_pages(children, code, settings, host, port, read_only=read_only)
                if settings.metrics:
                    _start_metrics(children, settings, host, port + 2)
                if _is_ready(children, host, port):
                    if left:
                        out.print(f"Resuming {left} interrupted run{'s' * (left != 1)}.")
                    _print_addresses(out, settings, bucket, host, port)
                    exited = children.wait(
                        lambda name: out.print(
                            f"The {name} exited and will be started again ({children.log(name)})."
                        )
                    )
                    out.print(f"The {exited} exited; stopping the other processes.")
                exited = children.exited() or _UI
                out.print(f"Last output of the {exited} ({children.log(exited)}):")
                out.print(children.last_output(exited))
                return 2
        except KeyboardInterrupt:
            out.print("Stopped. Interrupted runs resume at the next start.")
            return 0


def _print_addresses(out: Console, settings: Settings, bucket: str, host: str, port: int) -> None:
    out.print(f"Dagster's UI     http://{host}:{port}")
    out.print(f"Files            {settings.files_url or f'http://{host}:{port + 1}'}")
    if settings.metrics:
        out.print(f"Metrics          http://{_metrics_host(settings, host)}:{port + 2}/metrics")
    out.print(f"Bucket           {bucket}")
    out.print(f"Dagster's home   {settings.dagster_home}")
    out.print("New files in inbox/ are processed automatically. Press Ctrl-C to stop.")


def _start_code(children: ChildProcesses, folder: Path) -> Path:
    """Start the code location; return the socket on which it will listen."""
    code = folder / "code.sock"
    children.start(_CODE, code_command(code))
    return code


def _wait_for(code: Path, children: ChildProcesses) -> None:
    until = time.monotonic() + _READY_SECONDS
    while not code.exists() and children.exited() is None and time.monotonic() < until:
        time.sleep(0.1)


def _start_pages(  # noqa: PLR0913  # the options of the command, by name
    children: ChildProcesses,
    code: Path,
    settings: Settings,
    host: str,
    port: int,
    *,
    read_only: bool,
) -> None:
    """Start UI, daemon and files page; Dagster keeps sensor state by the location's name."""
    workspace = write_workspace(code.with_name("workspace.yaml"), code)
    python, location = [sys.executable, "-m"], ["-w", str(workspace)]
    listen = ["--host", host, "--port"]
    ui = [*python, "api.dagster_ui", *listen, str(port), "--workspace", str(workspace)]
    password = {PASSWORD: settings.ui_password.get_secret_value()}
    children.start(_UI, [*ui, *(["--read-only"] if read_only else [])], **password)
    daemon = [*python, "dagster._daemon", "run", *location, "--log-level", "warning"]
    children.start(_DAEMON, daemon)
    files = [*python, "api.files_page", *listen, str(port + 1)]
    children.start(_FILES, files, **password)


def _start_metrics(children: ChildProcesses, settings: Settings, host: str, port: int) -> None:
    listen = ["--host", _metrics_host(settings, host), "--port", str(port)]
    token = {METRICS_TOKEN: settings.metrics_token.get_secret_value()}
    children.start_beside(_METRICS, [sys.executable, "-m", "api.metrics.server", *listen], **token)


def _metrics_host(settings: Settings, host: str) -> str:
    """Without a token, only this machine may read the metrics."""
    return host if settings.metrics_token.get_secret_value() else LOOPBACK


def check_login(settings: Settings, host: str) -> None:
    """Refuse an address that other machines reach, without a login."""
    has_login = settings.ui_password.get_secret_value() or settings.ui_trusted_user_header
    if has_login or settings.ui_without_login or is_loopback(host):
        return
    raise click.UsageError(
        f"--host {host} lets other machines open the pages, and there is no login. Set "
        "UI_PASSWORD, or UI_TRUSTED_USER_HEADER and UI_TRUSTED_PROXIES; UI_WITHOUT_LOGIN=true "
        "lets everybody in who reaches that address."
    )


def check_name(settings: Settings, host: str) -> None:
    """Refuse a name that the pages do not answer to: they would never be ready."""
    names = {"localhost", *(name.lower() for name in comma_separated(settings.ui_hosts))}
    if host.lower() not in names and not is_address(host):
        raise click.UsageError(f"--host {host} is a name: add it to UI_HOSTS.")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host."""
    # of another name, the address may change
    return host == "localhost" or (is_address(host) and ip_address(host).is_loopback)


def check_port(host: str, port: int) -> None:
    """Refuse a port that another process listens on.

    Raises:
        UsageError: it is taken, or the address is not this machine's.
    """
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
        except OSError as error:
            raise click.UsageError(
                f"Cannot listen on {host}:{port} ({error.strerror}). Choose another --port; the "
                "pages use that port and the next one, and the metrics the one after, unless "
                "METRICS=false."
            ) from error


def _is_ready(children: ChildProcesses, host: str, port: int) -> bool:
    until = time.monotonic() + _READY_SECONDS
    while children.exited() is None and time.monotonic() < until:
        try:
            with urlopen(f"http://{host}:{port}/server_info", timeout=5):  # the child's own page
                return True
        except HTTPError as error:
            if error.code == HTTPStatus.UNAUTHORIZED:  # the guard asks for a login
                return True
            time.sleep(0.3)
        except (URLError, OSError):
            time.sleep(0.3)
    return False
