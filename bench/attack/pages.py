"""What foreign pages, rebound names, guessed cookies and planted links do to our pages."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from api.files_page import make_app
from api.guard.guard import Guard
from api.guard.login_page import local_path
from api.guard.logins import COOKIE, Logins
from api.guard.rules import GuardRules
from bench.attack.attacks import Attack, Verdict, expected
from escriba.settings import load_settings
from resources.storage import open_storage
from tests.api.guard.test_guard import (
    HOSTS,
    JSON,
    OTHERS,
    OURS,
    PASSWORD,
    REQUESTS,
    SOCKET,
    application,
)

WELL: Final = 200
ELSEWHERE: Final = (
    "//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/\t/evil.example",
    "/a\r\nSet-Cookie: x=y",
)  # fmt: skip
COOKIES: Final = ("", ".", "x.y", "99999999999.", f"99999999999.{'0' * 64}")
PATHS: Final = (
    "inbox/acme/secret.wav", "transcripts/../inbox/acme/secret.wav", "%00", "transcripts/%00",
    "transcripts/%2e%2e/inbox/acme/secret.wav", "transcripts/..%2f..%2foutside/secret.txt",
    "transcripts/%252e%252e/inbox/acme/secret.wav", "transcripts/acme/link.wav/transcript.txt",
    "transcripts/evil/secret.txt", "digests/secret.txt", "transcripts/acme/a.wav/transcript.txt%00",
    "transcripts/a%0A/", "transcripts?after=%00", "digests/%7f.md",
)  # fmt: skip
UNREAD: Final = "what nobody may read"


def attacks(folder: Path, *, quick: bool) -> Iterator[Attack]:
    """The guard and the page of files, in this process; `quick` leaves none out."""
    del quick
    for host, status in HOSTS:
        if status != WELL:
            yield Attack(f"host {host!r}", partial(_stopped, "GET", "/", {"host": host}, status))
    for method, path, headers, status in REQUESTS:
        if status != WELL:
            name = f"{method} {path} {headers}"
            yield Attack(name, partial(_stopped, method, path, headers, status))
    for origin in OTHERS:
        yield Attack(f"websocket of {origin}", partial(_not_connected, {"origin": origin}))
    for cookie in COOKIES:
        yield Attack(
            f"cookie {cookie!r}", partial(_not_logged_in, {"cookie": f"{COOKIE}={cookie}"})
        )
    yield Attack("a proxy that is none", partial(_not_logged_in, {"x-forwarded-user": "maria"}))
    for following in ELSEWHERE:
        yield Attack(f"login, then {following!r}", partial(_stays_here, following))
    bucket = folder / "bucket"
    _plant_links(bucket, folder / "outside")
    for path in PATHS:
        yield Attack(f"file {path}", partial(_shows_nothing, bucket, path))


def _client(done: list[str], **rules: object) -> TestClient:
    guard = Guard(application(done), GuardRules(**rules), asyncio.sleep)
    return TestClient(guard, OURS, client=("127.0.0.1", 5), follow_redirects=False)


def _stopped(method: str, path: str, headers: dict[str, str], status: int) -> Verdict:
    """Held if the answer has this status, and nothing behind the guard was done."""
    done: list[str] = []
    answer = _client(done).request(method, path, headers=headers)
    is_open = "access-control-allow-origin" in answer.headers
    held = answer.status_code == status and not done and not is_open
    return expected(it=held, otherwise=(answer.status_code, done))


def _not_connected(headers: dict[str, str]) -> Verdict:
    done: list[str] = []
    with suppress(WebSocketDisconnect), _client(done).websocket_connect(SOCKET, headers=headers):
        pass
    return expected(it=not done, otherwise=done)


def _not_logged_in(headers: dict[str, str]) -> Verdict:
    done: list[str] = []
    client = _client(done, logins=Logins(PASSWORD, b"k" * 32))
    answer = client.post("/graphql", headers=JSON | headers)
    return expected(it=answer.status_code == 401 and not done, otherwise=answer.status_code)


def _stays_here(following: str) -> Verdict:
    return expected(it=local_path(following) == "/", otherwise=local_path(following))


def _plant_links(bucket: Path, outside: Path) -> None:
    for folder in (outside, bucket / "inbox" / "acme", bucket / "transcripts/acme/link.wav"):
        folder.mkdir(parents=True)
    (outside / "secret.txt").write_text(UNREAD)
    (bucket / "inbox" / "acme" / "secret.wav").write_text(UNREAD)
    planted = bucket / "transcripts" / "acme" / "link.wav" / "transcript.txt"
    planted.symlink_to(bucket / "inbox" / "acme" / "secret.wav")
    (bucket / "transcripts" / "evil").symlink_to(outside)
    (bucket / "digests").symlink_to(outside)


def _shows_nothing(bucket: Path, path: str) -> Verdict:
    """Held if the page of files shows nothing of it, and does not break."""
    storage = open_storage(load_settings(storage_url=bucket.as_uri()))
    answer = TestClient(make_app(storage)).get(f"/{path}")
    held = UNREAD not in answer.text and answer.status_code < 500
    return expected(it=held, otherwise=(answer.status_code, answer.text[:80]))
