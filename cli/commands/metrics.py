"""`escriba metrics`: serve the metrics alone, until Ctrl-C."""

import os
import sys

import click

from cli.cli_context import open_context
from cli.commands.up import LOOPBACK, check_port, is_loopback
from cli.dagster_home import dagster_home
from cli.processes.part_environment import METRICS_TOKEN, part_environment


@click.command()
@click.option("--host", default=LOOPBACK, show_default=True, help="Address to listen on.")
@click.option("--port", default=3002, show_default=True, help="Port to listen on.")
def command(host: str, port: int) -> None:
    """Serve metrics for Prometheus and Datadog at /metrics, without Dagster's UI and daemon.

    `escriba up` serves the same. Before --host is an address that other machines can reach, set
    METRICS_TOKEN (docs/metrics.md).
    """
    settings, _ = open_context()
    if not settings.metrics_token.get_secret_value() and not is_loopback(host):
        raise click.UsageError(
            f"--host {host} lets other machines read the metrics: set METRICS_TOKEN first."
        )
    check_port(host, port)
    dagster_home(settings)
    click.echo(f"Metrics          http://{host}:{port}/metrics")
    sys.stdout.flush()
    arguments = ["-m", "api.metrics.server", "--host", host, "--port", str(port)]
    environment = part_environment(settings, "http://127.0.0.1:3001")
    environment[METRICS_TOKEN] = settings.metrics_token.get_secret_value()
    # the server takes this process's place, and its signals
    os.execve(sys.executable, [sys.executable, *arguments], environment)  # noqa: S606
