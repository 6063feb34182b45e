"""A foreign page in Chromium, in front of the guard on loopback; nothing where there is none."""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import uvicorn

from api.guard.guard import Guard
from api.guard.rules import GuardRules
from bench.attack.attacks import Attack, Verdict, expected
from tests.api.guard.test_guard import application
from tests.ui.foreign_page import TO_READ, WAYS, send, stranger

FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP *.example 127.0.0.1")
QUERY: Final = "mutation {evil {__typename}}"
SECONDS: Final = 30.0
CHANGING: Final = ("POST", "PUT", "DELETE", "websocket")


def attacks() -> Iterator[Attack]:
    """Every way in which a page of another site, or of a rebound name, sends or reads something."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # of the tests

    done: list[str] = []
    with _guarded(done) as port, stranger() as (foreign, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        page = browser.new_page()
        for host in (f"evil.example:{foreign}", f"127.0.0.1:{foreign}", f"rebound.example:{port}"):
            page.goto(f"http://{host}/")
            target = f"http://{host}" if host.endswith(str(port)) else f"http://127.0.0.1:{port}"
            for way in WAYS:
                run = partial(_changes_nothing, page, way, target, done)
                yield Attack(f"{way}, from {host.partition(':')[0]}", run, SECONDS)
            yield Attack(f"reads, from {host}", partial(_reads_nothing, page, target), SECONDS)
        browser.close()


def _changes_nothing(page: Any, way: str, target: str, done: list[str]) -> Verdict:  # noqa: ANN401
    """Held if nothing that can change anything got behind the guard."""
    done.clear()
    send(page, way, target, json.dumps({"query": QUERY}), quote(QUERY, safe=""))
    passed = [one for one in done if one.startswith(CHANGING) or "/graphql" in one]
    return expected(it=not passed, otherwise=passed)


def _reads_nothing(page: Any, target: str) -> Verdict:  # noqa: ANN401
    read = page.evaluate(TO_READ, [f"{target}/runs/1"])
    return expected(it="done" not in read, otherwise=read)


@contextmanager
def _guarded(done: list[str]) -> Iterator[int]:
    """The guard in front of something that remembers what it was asked to do; its port."""

    async def sleep(_seconds: float) -> None:
        return

    app = Guard(application(done), GuardRules(), sleep)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", proxy_headers=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
