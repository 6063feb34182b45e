"""The ends of a large object, from stores that keep to what is asked and from others."""

import logging
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gpu_job.contract import Address
from resources.storage.base import StorageError, StoredObject
from resources.storage.ranged_read import END_BYTES, ranged_read

SIZE_BYTES = 100_000_000
BUFFERED_BYTES = 20_000_000  # what the sockets of two ends may hold


class FakeStore:
    """One object on loopback; `sent` is what left the server of it."""

    def __init__(self, status):
        self.sent, self.status = 0, status

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler):  # noqa: N805  # `self` is the store
                handler.send_response(status)
                handler.send_header("Content-Length", str(SIZE_BYTES))
                handler.end_headers()
                try:
                    while self.sent < SIZE_BYTES:
                        self.sent += handler.wfile.write(b"x" * 100_000)
                except ConnectionError:
                    return

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def address(self, key, permission, life):
        port = self._server.server_port
        return Address(method="GET", url=f"http://127.0.0.1:{port}/{key}?X-Amz-Signature=0123")

    @contextmanager
    def serving(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


@pytest.fixture
def stored():
    return StoredObject("inbox/acme/a.wav", SIZE_BYTES, "etag", datetime.now(UTC))


def test_a_store_that_gives_no_parts_is_left_alone_after_its_first_bytes(stored, tmp_path):
    with FakeStore(200).serving() as store, ranged_read(store, stored, tmp_path) as ends:
        assert ends is None

    assert store.sent < BUFFERED_BYTES
    assert list(tmp_path.iterdir()) == []


def test_no_more_is_read_than_was_asked_for(stored, tmp_path):
    with FakeStore(206).serving() as store, ranged_read(store, stored, tmp_path) as ends:
        assert ends.stat().st_size == SIZE_BYTES
        assert ends.read_bytes()[END_BYTES - 1 : END_BYTES + 1] == b"x\0"

    assert store.sent < BUFFERED_BYTES


def test_a_refusal_is_told_without_its_address(stored, tmp_path):
    with (
        FakeStore(403).serving() as store,
        pytest.raises(StorageError, match="HTTP 403") as caught,
        ranged_read(store, stored, tmp_path),
    ):
        pass

    assert "Signature" not in str(caught.value)


def test_no_log_holds_an_address(stored, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.NOTSET, name)

    with FakeStore(206).serving() as store, ranged_read(store, stored, tmp_path):
        pass

    assert "Signature" not in caplog.text
