"""Metadata services of AWS and Google Cloud on loopback, which ask for what the real ones ask for.

The server's `notice` makes them announce an interruption. They also say which machine they are of.
"""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.loopback import Answering

AWS_MACHINE = {
    "instance-id": "i-0123456789abcdef0",
    "instance-type": "g5.xlarge",
    "placement/availability-zone": "us-east-1b",
    "instance-life-cycle": "spot",
}
GCP_MACHINE = {
    "id": "1234567890123456789",
    "machine-type": "projects/111/machineTypes/g2-standard-4",
    "zone": "projects/111/zones/us-central1-a",
}


class Aws(Answering, BaseHTTPRequestHandler):
    """IMDSv2: tokens by PUT with a life, and no answer without one that is valid."""

    def do_PUT(self):
        life = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path != "/latest/api/token" or not life.isdecimal() or self.server.no_tokens:
            return self.answer(403)
        self.server.tokens.append(f"token-{len(self.server.tokens)}")
        return self.answer(200, self.server.tokens[-1].encode())

    def do_GET(self):
        self.server.asked += 1
        tokens = self.server.tokens[-1:]
        if self.headers.get("X-aws-ec2-metadata-token") not in tokens or self.server.revoked:
            self.server.revoked = False
            return self.answer(401)
        name = self.path.removeprefix("/latest/meta-data/")
        if name == "spot/instance-action" and self.server.notice:
            return self.answer(200, b'{"action": "terminate", "time": "2026-11-25T08:22:00Z"}')
        if name in AWS_MACHINE and not self.server.broken:
            return self.answer(200, AWS_MACHINE[name].encode())
        return self.answer(self.server.broken or 404)


class Gcp(Aws):
    """The metadata server: no answer without its header."""

    def do_GET(self):
        self.server.asked += 1
        name = self.path.removeprefix("/computeMetadata/v1/instance/")
        known = name == "preempted" or name in GCP_MACHINE
        if not known or self.headers.get("Metadata-Flavor") != "Google":
            return self.answer(403)
        if self.server.broken:
            return self.answer(self.server.broken)
        if name in GCP_MACHINE:
            return self.answer(200, GCP_MACHINE[name].encode())
        return self.answer(200, b"TRUE" if self.server.notice else b"FALSE")


@contextmanager
def metadata(kind):
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        server.daemon_threads = True
        server.tokens, server.asked = [], 0
        server.notice, server.no_tokens, server.revoked, server.broken = False, False, False, 0
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


KINDS = {"aws": Aws, "gcp": Gcp}
