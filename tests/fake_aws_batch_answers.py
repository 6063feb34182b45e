"""The HTTP of the fake AWS Batch: its JSON, its errors, and what breaks."""

import contextlib
import json
import re
import socket
import struct
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/[a-z0-9-]+/batch/aws4_request,")
LONG_SECONDS = 120


class RefusedError(Exception):
    """What the API answers with an error."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Fault:
    """What happens to one request: an error, or a reset connection where there is no status.

    done: whether the request is carried out before.
    """

    status: int = 0
    code: str = ""
    body: bytes = b""
    done: bool = False


TOO_MANY = Fault(429, "TooManyRequestsException")
THROTTLED = Fault(400, "ThrottlingException")
BROKEN = Fault(500, "ServerException")
RESET, LOST_ANSWER = Fault(), Fault(done=True)
HTML = Fault(200, body=b"<html>maintenance</html>")
DENIED = Fault(403, "AccessDeniedException")


class Handler(BaseHTTPRequestHandler):
    """POST /v1/operation, signed."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        fake, operation = self.server.fake, self.path.rpartition("/")[2]
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        fake.requests.append((operation, time.monotonic()))
        try:
            self._check_signature()
            fault = fake.faults[operation].popleft() if fake.faults[operation] else None
            if fault and not fault.done:
                return self._break(fault)
            answer = getattr(fake, operation)(asked)
        except RefusedError as refused:
            return self._refuse(refused)
        return self._break(fault) if fault else self._send(200, json.dumps(answer).encode())

    def _check_signature(self):
        signed = _SIGNED.match(self.headers.get("Authorization", ""))
        if not signed or not self.headers.get("X-Amz-Date"):
            raise RefusedError(
                "MissingAuthenticationTokenException", "Missing Authentication Token", 403
            )
        if self.server.fake.key not in {"", signed[1]}:
            raise RefusedError("UnrecognizedClientException", "The security token is invalid.", 403)

    def _refuse(self, refused):
        body = json.dumps({"message": refused.message}).encode()
        self._send(refused.status, body, {"x-amzn-ErrorType": refused.code})

    def _break(self, fault):
        if fault.code:
            return self._refuse(RefusedError(fault.code, "as scripted", fault.status))
        if fault.status:
            return self._send(fault.status, fault.body)
        linger = struct.pack("ii", 1, 0)  # without lingering, closing sends RST
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        return None

    def _send(self, status, body, headers=None):
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass
