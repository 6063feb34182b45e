"""A real HTTP server on loopback in place of Slack, Teams, PagerDuty and anybody's webhook."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from tests.loopback import Answering


class Ear:
    """What it was told. status: its answer; hangs: it answers only when it is told to go on."""

    def __init__(self, port):
        self.port, self.status, self.told = port, 200, []
        self.go_on = Event()
        self.go_on.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def messages(self):
        """Titles and bodies of what was posted as JSON."""
        return [(one["title"], one["message"]) for _, one in self.told]


@contextmanager
def listening():
    class Handler(Answering, BaseHTTPRequestHandler):
        def do_POST(self):  # http.server's
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.ear.go_on.wait(60)
            if self.server.ear.status < 300:
                self.server.ear.told.append((self.path, json.loads(body)))
            self.answer(self.server.ear.status, b"ok")  # as Slack does

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.ear = Ear(server.server_port)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.ear
    server.ear.go_on.set()
    server.shutdown()
    server.server_close()
