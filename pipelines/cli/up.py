"""`escriba up`: the UI, the daemon and the code location, until Ctrl-C."""

import json
import os
import socket
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

import click
from rich.console import Console

from pipelines.dagster_home import dagster_home
from pipelines.settings import HOUSE, Settings, exported

from .fetching import ready_models
from .house import console, open_house
from .processes import Household, household

_READY_SECONDS = 180.0
_CODE, _DAEMON, _UI, _FILES = "code location", "daemon", "UI", "files"
_LOCATION = "escriba"  # without a name of its own it is the socket's, and each start is a stranger


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the pages listen.")
@click.option("--port", default=3000, show_default=True, help="Of the UI; its files: one more.")
@click.option("--read-only", is_flag=True, help="A UI in which nothing can be launched.")
def command(host: str, port: int, *, read_only: bool) -> None:
    """Dagster's UI, its daemon (sensors, schedules, queue) and the code location, together.

    The pages have no login: before you let --host go beyond this machine, read
    docs/operations.md.
    """
    settings, storage = open_house()
    ready_models(settings, console())
    sys.exit(keep_up(settings, storage.url, host, port, read_only=read_only))


def keep_up(settings: Settings, bucket: str, host: str, port: int, *, read_only: bool) -> int:
    """Until somebody interrupts it (0), or one of the processes ends by itself (2)."""
    from .leftovers import end_leftovers

    for wanted in (port, port + 1):
        _check_port(host, wanted)
    # not logs/: what lies there Dagster sends to its maker, its telemetry on or off
    out, logs = console(), dagster_home(settings) / "output"
    environment = _environment(settings, host, port)
    with TemporaryDirectory(prefix="escriba-") as folder:
        try:
            with household(environment, logs) as children:
                code = _start_code(children, Path(folder))
                left = end_leftovers(settings)  # makes the tables too, before two would at once
                _wait_for(code, children)
                _start_pages(children, code, host, port, read_only=read_only)
                if _is_ready(children, host, port):
                    if left:
                        out.print(f"Runs that were cut off, and go on now: {left}")
                    _say_where(out, settings, bucket, host, port)
                    out.print(f"The {children.wait()} ended by itself, and with it all the rest.")
                late = children.ended() or _UI
                out.print(f"What the {late} said last ({children.log(late)}):")
                out.print(children.last_words(late), markup=False)
                return 2
        except KeyboardInterrupt:
            out.print("All ended; what was running goes on at the next start.")
            return 0


def _say_where(out: Console, settings: Settings, bucket: str, host: str, port: int) -> None:
    out.print(f"Dagster's UI     http://{host}:{port}")
    out.print(f"Files            {settings.files_url or f'http://{host}:{port + 1}'}")
    out.print(f"Bucket           {bucket}")
    out.print(f"Dagster's home   {settings.dagster_home}")
    out.print("What falls into inbox/ is taken by itself. Ctrl-C ends all of it.")


def _start_code(children: Household, folder: Path) -> Path:
    """The code location; the socket on which it will listen."""
    code = folder / "code.sock"
    children.start(
        _CODE,
        [
            *(sys.executable, "-m", "dagster", "code-server", "start", "-s", str(code)),
            *("-m", "pipelines.definitions", "-d", str(HOUSE), "--location-name", _LOCATION),
            *("--log-level", "warning"),
        ],
    )
    return code


def _wait_for(code: Path, children: Household) -> None:
    until = time.monotonic() + _READY_SECONDS
    while not code.exists() and children.ended() is None and time.monotonic() < until:
        time.sleep(0.1)


def _start_pages(children: Household, code: Path, host: str, port: int, *, read_only: bool) -> None:
    """Sensors, schedules and backfills remember themselves by the location's name."""
    workspace = code.with_name("workspace.yaml")
    server = {"socket": str(code), "location_name": _LOCATION}
    workspace.write_text(json.dumps({"load_from": [{"grpc_server": server}]}))  # JSON is YAML
    python, location = [sys.executable, "-m"], ["-w", str(workspace)]
    ui = [*python, "dagster_webserver", "-h", host, "-p", str(port), *location]
    children.start(_UI, [*ui, *(["--read-only"] if read_only else [])])
    daemon = [*python, "dagster._daemon", "run", *location, "--log-level", "warning"]
    children.start(_DAEMON, daemon)
    files = [*python, "pipelines.files_page", "--host", host, "--port", str(port + 1)]
    children.start(_FILES, files)


def _environment(settings: Settings, host: str, port: int) -> dict[str, str]:
    """What the children see: this process's own, and the settings, wherever they came from."""
    return {
        **os.environ,
        **exported(settings),
        "FILES_URL": settings.files_url or f"http://{host}:{port + 1}",
        "STORAGE_URL": settings.bucket_url,
        "DAGSTER_HOME": str(dagster_home(settings)),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PYTHONSAFEPATH": "1",  # a file of the current folder is nobody's module
        "PYTHONPATH": os.pathsep.join(filter(None, [str(HOUSE), os.environ.get("PYTHONPATH")])),
    }


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
        except OSError as error:
            raise click.UsageError(
                f"Nothing can listen on {host}:{port} ({error.strerror}): choose another --port; "
                "the pages take that one and the next."
            ) from error


def _is_ready(children: Household, host: str, port: int) -> bool:
    until = time.monotonic() + _READY_SECONDS
    while children.ended() is None and time.monotonic() < until:
        try:
            with urlopen(f"http://{host}:{port}/server_info", timeout=5):  # our own
                return True
        except (URLError, OSError):
            time.sleep(0.3)
    return False
