"""A model hub on loopback that speaks what huggingface_hub and the hub's file server speak."""

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

COMMIT = "d" * 40
_LARGE = 1_000_000  # larger files are kept as LFS, known by their SHA-256


def git_sha1(body):
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


class _Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        hub = self.server
        hub.seen.append((self.command, self.path, self.headers.get("Range")))
        parts = urlsplit(self.path).path.strip("/").split("/")
        if parts[0] == "cdn":  # large files are answered by another address
            return self.file("/".join(parts[1:3]), parts[3])
        is_api = parts[:2] == ["api", "models"]
        parts = parts[2:] if is_api else parts
        name, verb, rest = "/".join(parts[:2]), "".join(parts[2:3]), "/".join(parts[4:])
        if name not in hub.models:
            return self.answer(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        if is_api and verb in {"", "revision"}:
            return self.answer(200, json.dumps(self.told(name)).encode())
        if verb == "resolve" and rest in hub.models[name]:
            if len(hub.models[name][rest]) > _LARGE:
                return self.answer(302, b"", {"Location": f"/cdn/{name}/{rest}"})
            return self.file(name, rest)
        return self.answer(404, b"{}", {"X-Error-Code": "EntryNotFound"})

    def told(self, name):
        siblings = []
        for file, body in self.server.models[name].items():
            one = {"rfilename": file, "size": len(body), "blobId": git_sha1(body)}
            if len(body) > _LARGE:
                sha256 = hashlib.sha256(body).hexdigest()
                one["lfs"] = {"sha256": sha256, "size": len(body), "pointerSize": 134}
            siblings.append(one)
        return {"id": name, "sha": COMMIT, "siblings": siblings}

    def file(self, name, file):
        hub = self.server
        body = hub.torn.get(file, hub.models[name][file])
        start = 0
        wanted = self.headers.get("Range")
        if wanted and hub.knows_ranges:
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            if start >= len(body):
                return self.answer(416, b"")
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if self.command == "HEAD":
            return None
        end = len(body)
        breaks_after = hub.breaks.pop(file, None)  # once
        if breaks_after is not None:
            end, self.close_connection = min(end, start + breaks_after), True
        self.wfile.write(body[start:end])
        hub.sent.append((file, end - start))
        if breaks_after is not None and hub.stall is not None:
            hub.stalled.set()
            hub.stall.wait(60)
        return None

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in ((headers or {}) | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def hub_of(models):
    """A hub with these models: name to files. Its `url` goes into HF_ENDPOINT.

    breaks: files that break off once, after so many bytes; with a `stall`, an event, they stay open
    until it is set. torn: files that come with other bytes.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        server.daemon_threads = True
        server.models, server.torn, server.seen, server.sent = models, {}, [], []
        server.knows_ranges, server.breaks = True, {}
        server.stall, server.stalled = None, threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def files_of(folder: Path):
    """A model's files, for `hub_of`."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
