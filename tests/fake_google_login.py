"""A service account's key file, and the server that gives tokens for it, on loopback."""

import json
import threading
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.loopback import Answering

EMAIL = "escriba@project.iam.gserviceaccount.com"


@cache
def private_key():
    """One for all tests: making it takes a while."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Tokens(Answering, BaseHTTPRequestHandler):
    """The server's `tokens` are given out one after another, the last one for ever."""

    def do_POST(self):
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert asked["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        self.server.asked += 1
        if self.server.refuses:
            return self.answer(400, b'{"error": "invalid_grant", "error_description": "no"}')
        tokens = self.server.tokens
        token = tokens.pop(0) if len(tokens) > 1 else tokens[0]
        body = {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
        return self.answer(200, json.dumps(body).encode())


@contextmanager
def google_login(folder, *tokens):
    """The server; its `key_file` is what GOOGLE_APPLICATION_CREDENTIALS names."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Tokens) as server:
        server.tokens, server.asked, server.refuses = [*tokens], 0, False
        server.daemon_threads = True
        server.key_file = folder / "key.json"
        content = {
            "type": "service_account",
            "project_id": "escriba-test",
            "client_email": EMAIL,
            "private_key_id": "1",
            "private_key": private_key(),
            "token_uri": f"http://127.0.0.1:{server.server_port}/token",
        }
        server.key_file.write_text(json.dumps(content), encoding="utf-8")
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
