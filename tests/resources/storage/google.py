"""What Google answers beside its storage: the metadata server of a machine, and IAM's signBlob."""

import json
import threading
from base64 import b64decode, b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.loopback import Answering

TOKEN = "token-of-the-machine"


class Handler(Answering, BaseHTTPRequestHandler):
    """One server for both; it signs for one service account, and for who has its token."""

    def do_GET(self):
        if self.path.endswith("/?recursive=true"):
            facts = {"email": self.server.email, "scopes": ["x"], "aliases": ["default"]}
            return self.metadata(json.dumps(facts))
        if "/token" in self.path:
            token = {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
            return self.metadata(json.dumps(token))
        if self.path.endswith("project-id"):
            return self.metadata("project", "text/plain")
        return self.metadata("ok", "text/plain")

    def metadata(self, body, kind="application/json"):
        self.send_response(200)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = f"/v1/projects/-/serviceAccounts/{self.server.email}:signBlob"
        if self.path != path or self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self.answer(404)
        self.server.signed += 1
        if self.server.refuses:
            return self.answer(self.server.refuses)
        data = b64decode(body["payload"])
        signature = self.server.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        answer = {"keyId": "1", "signedBlob": b64encode(signature).decode()}
        return self.answer(200, json.dumps(answer).encode())


@contextmanager
def machine_of_google(key, email):
    """A machine with a service account, without access to its key."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.key, server.email, server.signed, server.refuses = key, email, 0, 0
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
