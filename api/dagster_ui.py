"""Serves Dagster's UI behind the guard, in one process: Dagster itself listens nowhere.

`escriba up` starts it as `python -m api.dagster_ui --workspace FILE`. It does what the command
`dagster-webserver` does (dagster_webserver.cli), which cannot be given a guard.
"""

import argparse
from pathlib import Path

import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__

from escriba.settings import load_settings

from .guard.guard import Guard
from .guard.rules import rules_of
from .guard.serve import serve

# the defaults of dagster-webserver
_STATEMENT_TIMEOUT_MS, _POOL_RECYCLE_SECONDS, _POOL_OVERFLOW = 15_000, 3_600, 20
_POLL_MS = 2_000


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="Address to listen on.")
    parser.add_argument("--port", type=int, default=3000, help="Port to listen on.")
    parser.add_argument("--workspace", type=Path, required=True, help="Dagster's workspace.yaml.")
    parser.add_argument("--read-only", action="store_true", help="Nothing can be launched.")
    arguments = parser.parse_args()
    rules = rules_of(load_settings())
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(
            _STATEMENT_TIMEOUT_MS, _POOL_RECYCLE_SECONDS, _POOL_OVERFLOW
        )
        target = WorkspaceFileTarget(paths=[str(arguments.workspace)])
        with WorkspaceProcessContext(
            instance, target, version=__version__, read_only=arguments.read_only
        ) as workspace:
            app = create_app_from_workspace_process_context(workspace, live_data_poll_rate=_POLL_MS)
            serve(Guard(app, rules), arguments.host, arguments.port)


if __name__ == "__main__":
    main()
