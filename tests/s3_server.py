"""An S3 server on a port of its own, for tests: one request after another.

moto looks whether a key exists and writes it in two steps, and its own server answers in many
threads: two clients could both create the same object, which S3 never allows.
"""

import logging
import sys
import threading

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server


class OneAtATime:
    """A WSGI application that answers one request after another."""

    def __init__(self, application):
        self._application, self._lock = application, threading.Lock()

    def __call__(self, environment, start_response):
        with self._lock:
            return list(self._application(environment, start_response))


def main():
    """Say the port, then serve until the parent closes the standard input, or is gone."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
