"""Google Cloud Storage's XML API in memory, as far as obstore and signed URLs need it.

It checks who asks: a signed URL by its V4 signature, its headers and its end, anything else by a
bearer token, which is a JWT of the service account's key or one that was given out by `tokens`.
Answers and codes are those of https://cloud.google.com/storage/docs/xml-api/reference-status
"""

import hashlib
import itertools
import json
import threading
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding


class RefusedError(Exception):
    """A request that is answered with a status and a code."""

    def __init__(self, status, code, details=""):
        super().__init__(code)
        self.status, self.code, self.details = status, code, details


@dataclass
class Object:
    body: bytes
    content_type: str
    generation: int
    modified: datetime

    @property
    def etag(self):
        return f'"{hashlib.md5(self.body).hexdigest()}"'


@dataclass
class Bucket:
    """What is in one, and the uploads in parts that are under way."""

    objects: dict = field(default_factory=dict)
    uploads: dict = field(default_factory=dict)


class GcsServer(ThreadingHTTPServer):
    """Buckets on loopback that trust one public key, and the tokens it was told of."""

    daemon_threads = True

    def __init__(self, public_key, email):
        super().__init__(("127.0.0.1", 0), Handler)
        self.public_key, self.email = public_key, email
        self.tokens, self.buckets = set(), {}
        self.lock, self.numbers = threading.Lock(), itertools.count(1)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def is_signed(self, data, signature):
        try:
            self.public_key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_any(self, work):
        url = urlsplit(self.path)
        self.raw_path, self.query = url.path, dict(parse_qsl(url.query, keep_blank_values=True))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self.check_who()
            name, _, key = unquote(url.path).lstrip("/").partition("/")
            with self.server.lock:
                self.bucket = self.bucket_called(name)
                work(key)
        except RefusedError as refused:
            self.answer(
                refused.status,
                f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{refused.code}</Code>"
                f"<Message>{refused.code}</Message><Details>{refused.details}</Details></Error>",
            )

    def do_GET(self):
        self.handle_any(self.on_get)

    def do_HEAD(self):
        self.handle_any(self.on_get)

    def do_PUT(self):
        self.handle_any(self.on_put)

    def do_POST(self):
        self.handle_any(self.on_post)

    def do_DELETE(self):
        self.handle_any(self.on_delete)

    def bucket_called(self, name):
        if name not in self.server.buckets:
            raise RefusedError(404, "NoSuchBucket")
        return self.server.buckets[name]

    def answer(self, status, body="", headers=None):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **(headers or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    # --- who asks ---

    def check_who(self):
        if "X-Goog-Signature" in self.query:
            return self.check_signed_url()
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            raise RefusedError(401, "AuthenticationRequired")
        if token not in self.server.tokens and not self.is_own_jwt(token):
            raise RefusedError(401, "AuthenticationRequired", "Invalid token")
        return None

    def is_own_jwt(self, token):
        signed, _, signature = token.rpartition(".")
        if not signed or not self.server.is_signed(signed.encode(), decoded(signature)):
            return False
        claims = json.loads(decoded(signed.partition(".")[2]))
        return claims["iss"] == self.server.email and claims["exp"] > now().timestamp()

    def check_signed_url(self):
        query = dict(self.query)
        signature = query.pop("X-Goog-Signature")
        stamp, names = query["X-Goog-Date"], query["X-Goog-SignedHeaders"].split(";")
        made = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        life = int(query["X-Goog-Expires"])
        if life > 604_800:
            raise RefusedError(400, "AuthorizationQueryParametersError")
        if now() > made + timedelta(seconds=life):
            raise RefusedError(400, "ExpiredToken", "The provided token has expired.")
        for name in self.headers:
            if name.lower().startswith("x-goog-") and name.lower() not in names:
                raise RefusedError(400, "MalformedSecurityHeader", f"{name}: not in signedheaders")
        asked = sorted(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in query.items())
        lines = "".join(f"{name}:{self.headers.get(name, '').strip()}\n" for name in names)
        path = quote(unquote(self.raw_path), safe="/~")
        parts = [self.command, path, "&".join(asked), lines, ";".join(names), "UNSIGNED-PAYLOAD"]
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        scope = f"{stamp[:8]}/auto/storage/goog4_request"
        to_sign = f"GOOG4-RSA-SHA256\n{stamp}\n{scope}\n{digest}".encode()
        whose = query["X-Goog-Credential"] == f"{self.server.email}/{scope}"
        if not whose or not self.server.is_signed(to_sign, bytes.fromhex(signature)):
            raise RefusedError(403, "SignatureDoesNotMatch")

    # --- objects ---

    def on_put(self, key):
        if "uploadId" in self.query:
            parts = self.bucket.uploads[self.query["uploadId"]]
            parts[int(self.query["partNumber"])] = self.body
            return self.answer(200, headers={"ETag": f'"{hashlib.md5(self.body).hexdigest()}"'})
        stored = self.store(key, self.body)
        return self.answer(200, headers=facts(stored))

    def on_post(self, key):
        if "uploads" in self.query:
            upload = f"upload-{next(self.server.numbers)}"
            self.bucket.uploads[upload] = {}
            return self.answer(
                200,
                f"<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>{escape(key)}</Key>"
                f"<UploadId>{upload}</UploadId></InitiateMultipartUploadResult>",
            )
        parts = self.bucket.uploads.pop(self.query["uploadId"])
        stored = self.store(key, b"".join(parts[number] for number in sorted(parts)))
        return self.answer(
            200,
            f"<CompleteMultipartUploadResult><Key>{escape(key)}</Key>"
            f"<ETag>{escape(stored.etag)}</ETag></CompleteMultipartUploadResult>",
            {"x-goog-generation": stored.generation},
        )

    def store(self, key, body):
        wanted, there = self.headers.get("x-goog-if-generation-match"), self.bucket.objects.get(key)
        if wanted is not None and int(wanted) != (there.generation if there else 0):
            raise RefusedError(412, "PreconditionFailed")
        kind = self.headers.get("Content-Type", "application/octet-stream")
        stored = Object(body, kind, next(self.server.numbers), now())
        self.bucket.objects[key] = stored
        return stored

    def on_delete(self, key):
        if self.bucket.objects.pop(key, None) is None:
            raise RefusedError(404, "NoSuchKey")
        self.answer(204)

    def on_get(self, key):
        if not key:
            return self.answer(200, self.listing(), {"Content-Type": "application/xml"})
        if key not in self.bucket.objects:
            raise RefusedError(404, "NoSuchKey")
        found = self.bucket.objects[key]
        body, headers = found.body, facts(found) | {"Content-Type": found.content_type}
        if "Range" in self.headers:
            first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
            end = min(int(last or len(body) - 1), len(body) - 1)
            headers["Content-Range"] = f"bytes {first}-{end}/{len(body)}"
            return self.answer(206, body[int(first) : end + 1], headers)
        return self.answer(200, body, headers)

    def listing(self):
        """In the order of the keys' UTF-8, as Google documents it; a thousand a page."""
        query = self.query
        after = max(query.get("continuation-token", ""), query.get("start-after", ""))
        keys = sorted(self.bucket.objects, key=str.encode)
        left = [k for k in keys if k.startswith(query.get("prefix", "")) and k > after]
        page = left[: int(query.get("max-keys", 1000))]
        more = len(left) > len(page)
        coded = quote if query.get("encoding-type") == "url" else escape
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        entries = "".join(
            f"<Contents><Key>{coded(key)}</Key><Generation>{one.generation}</Generation>"
            f"<LastModified>{one.modified:%Y-%m-%dT%H:%M:%S.%fZ}</LastModified>"
            f"<ETag>{escape(one.etag)}</ETag><Size>{len(one.body)}</Size></Contents>"
            for key, one in ((key, self.bucket.objects[key]) for key in page)
        )
        return (
            "<?xml version='1.0' encoding='UTF-8'?>"
            "<ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}</ListBucketResult>"
        )


def facts(stored):
    return {
        "ETag": stored.etag,
        "Last-Modified": format_datetime(stored.modified, usegmt=True),
        "x-goog-generation": stored.generation,
    }


def decoded(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def now():
    return datetime.now(UTC)
