"""An S3 of ours on loopback that is as odd as a test wants: no signatures, one bucket, in memory.

It lists, reads in ranges, writes whole and in parts, and creates conditionally.
"""

import hashlib
import re
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from escriba.settings import load_settings

BUCKET = "bucket"


@dataclass
class Oddities:
    """What is odd about the store. Counters are decremented by the requests that they break."""

    creates: str = "atomic"  # or: ignores, racy, refuses
    etag_in_list: str = '"{}"'
    etag_elsewhere: str = '"{}"'
    modified: float | None = None  # of every object, as seconds since 1970
    cut_after: int | None = None  # bytes of a body, then the connection ends
    cuts: int = 0
    on_cut: Callable[[], None] = lambda: None
    bytes_per_second: float | None = None  # of all connections together, each way
    answer: tuple[int, str, dict] | None = None  # status, body, headers: of every request
    busy: int = 0  # signed creations that are refused before they are looked at
    busy_status: int = 503
    lost_answers: int = 0  # objects that are created, with 500 as the answer
    if_match: bool = True
    ranges: str = "kept"  # or: ignored, elsewhere (a part that starts at 0)


@dataclass
class FaultyS3:
    """The store: its settings, its objects, and the requests that it saw."""

    oddities: Oddities = field(default_factory=Oddities)
    objects: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict]] = field(default_factory=list)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    at_once: int = 0
    most_at_once: int = 0

    def settings(self, **changes):
        return load_settings(
            **{
                "storage_url": f"s3://{BUCKET}",
                "aws_endpoint_url": self.url,
                "aws_access_key_id": "key",
                "aws_secret_access_key": "secret",
            }
            | changes
        )

    def put(self, key, data, modified=None):
        self.objects[key] = (data, time.time() if modified is None else modified)


@contextmanager
def faulty_s3(certificate="", key=""):
    """With a certificate and its key, by TLS."""
    store = FaultyS3()
    handler = type("Handler", (_Handler,), {"store": store})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    store.url = f"http://127.0.0.1:{server.server_port}"
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        store.url = store.url.replace("http", "https")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: FaultyS3

    def do_GET(self):
        self._begin()
        if self._answered():
            return
        if not self.key:
            self._list()
            return
        found = self.store.objects.get(self.key)
        if found is None:
            self._refuse(404, "NoSuchKey")
            return
        data, modified = found
        wanted = self.headers.get("If-Match") if self.store.oddities.if_match else None
        if wanted and wanted != self._etag(data, listed=False):
            self._refuse(412, "PreconditionFailed")
            return
        first, last = 0, len(data) - 1
        asked = "" if self.store.oddities.ranges == "ignored" else self.headers.get("Range", "")
        if ranged := re.fullmatch(r"bytes=(\d+)-(\d*)", asked):
            first, last = int(ranged[1]), min(last, int(ranged[2] or last))
            first = 0 if self.store.oddities.ranges == "elsewhere" else first
            if first > last:
                self._refuse(416, "InvalidRange")
                return
        self.send_response(206 if ranged else 200)
        if ranged:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self._describe(data, modified, last + 1 - first)
        if self.command == "GET":
            self._send(data[first : last + 1])

    do_HEAD = do_GET  # noqa: N815

    def do_PUT(self):  # noqa: C901  # one branch for each oddity
        self._begin()
        odd, body = self.store.oddities, self._body()
        if self._answered():
            return
        if "X-Amz-Signature" in self.query and odd.busy:
            odd.busy -= 1
            self._refuse(odd.busy_status, "SlowDown")
            return
        if "uploadId" in self.query:
            self.store.parts[self.query["uploadId"]][int(self.query["partNumber"])] = body
            self._done(body)
            return
        if self.headers.get("If-None-Match") == "*" and odd.creates != "ignores":
            if odd.creates == "refuses":
                self._refuse(501, "NotImplemented", "A header you provided implies functionality")
                return
            exists = self.key in self.store.objects
            if odd.creates == "racy":
                time.sleep(0.02)
            with self.store.lock:
                if odd.creates == "atomic":
                    exists = self.key in self.store.objects
                if not exists:
                    self.store.put(self.key, body)
            if exists:
                self._refuse(412, "PreconditionFailed")
                return
            if odd.lost_answers:
                odd.lost_answers -= 1
                self._refuse(500, "InternalError")
                return
        self.store.put(self.key, body)
        self._done(body)

    def do_POST(self):
        self._begin()
        body = self._body()
        if self._answered():
            return
        if "uploads" in self.query:
            upload = f"u{len(self.store.parts)}"
            self.store.parts[upload] = {}
            self._xml(
                f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            )
            return
        if "delete" in self.query:
            for key in re.findall(r"<Key>(.*?)</Key>", body.decode()):
                self.store.objects.pop(key, None)
            self._xml("<DeleteResult></DeleteResult>")
            return
        parts = self.store.parts[self.query["uploadId"]]
        whole = b"".join(parts[number] for number in sorted(parts))
        self.store.put(self.key, whole)
        etag = escape(self._etag(whole, listed=False))
        self._xml(
            f"<CompleteMultipartUploadResult><ETag>{etag}</ETag></CompleteMultipartUploadResult>"
        )

    def do_DELETE(self):
        self._begin()
        self.store.objects.pop(self.key, None)
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _begin(self):
        address = urlsplit(self.path)
        self.query = {
            name: values[0]
            for name, values in parse_qs(address.query, keep_blank_values=True).items()
        }
        self.key = unquote(address.path.removeprefix(f"/{BUCKET}").removeprefix("/"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.store.requests.append((self.command, self.key, headers))

    def _answered(self):
        if self.store.oddities.answer is None:
            return False
        status, text, headers = self.store.oddities.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        body = text.encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return True

    def _body(self):
        left, speed = (
            int(self.headers.get("Content-Length") or 0),
            self.store.oddities.bytes_per_second,
        )
        if speed is None or left < 10_000:
            return self.rfile.read(left)
        with self.store.lock:
            self.store.at_once += 1
            self.store.most_at_once = max(self.store.most_at_once, self.store.at_once)
        body = bytearray()
        while left and (piece := self.rfile.read(min(left, 16_384))):
            body += piece
            left -= len(piece)
            time.sleep(len(piece) / speed)
        with self.store.lock:
            self.store.at_once -= 1
        return bytes(body)

    def _send(self, data):
        odd = self.store.oddities
        if odd.cut_after is not None and odd.cuts > 0 and len(data) > odd.cut_after:
            odd.cuts -= 1
            data, self.close_connection = data[: odd.cut_after], True
            odd.on_cut()
        for first in range(0, len(data), 16_384):
            piece = data[first : first + 16_384]
            self.wfile.write(piece)
            if odd.bytes_per_second:
                time.sleep(len(piece) / odd.bytes_per_second)

    def _list(self):
        prefix = self.query.get("prefix", "")
        after = self.query.get("start-after", "")
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{self._time(modified)}</LastModified>"
            f"<ETag>{escape(self._etag(data, listed=True))}</ETag><Size>{len(data)}</Size>"
            "</Contents>"
            for key, (data, modified) in sorted(self.store.objects.items())
            if key.startswith(prefix) and key > after
        )
        self._xml(
            f"<ListBucketResult><Name>{BUCKET}</Name><IsTruncated>false</IsTruncated>{entries}"
            "</ListBucketResult>"
        )

    def _etag(self, data, *, listed):
        odd, digest = self.store.oddities, hashlib.md5(data).hexdigest()
        return (odd.etag_in_list if listed else odd.etag_elsewhere).format(digest)

    def _time(self, modified):
        at = self.store.oddities.modified
        return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(modified if at is None else at))

    def _describe(self, data, modified, length):
        at = self.store.oddities.modified
        self.send_header("ETag", self._etag(data, listed=False))
        self.send_header("Last-Modified", formatdate(modified if at is None else at, usegmt=True))
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _done(self, data):
        self.send_response(200)
        self.send_header("ETag", self._etag(data, listed=False))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _refuse(self, status, code, message="refused"):
        text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _xml(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
