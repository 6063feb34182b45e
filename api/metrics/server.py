"""Serves the metrics: what `escriba up` and `escriba metrics` start."""

import argparse

import dagster as dg

from api.guard.serve import serve
from escriba.settings import load_settings
from resources.storage import open_storage

from .exporter import Exporter, registry_of
from .page import make_app


def main() -> None:
    """Entry point. It listens once the ledger has been read, so the first scrape shows all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="Address to listen on.")
    parser.add_argument("--port", type=int, default=3002, help="Port to listen on.")
    arguments = parser.parse_args()
    settings = load_settings()
    with dg.DagsterInstance.get() as instance:
        exporter = Exporter(settings, open_storage(settings), instance)
        app = make_app(registry_of(exporter), settings.metrics_token.get_secret_value())
        exporter.read_ledger()
        serve(app, arguments.host, arguments.port)


if __name__ == "__main__":
    main()
