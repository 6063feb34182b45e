"""The report where `escriba up` shows it: it draws, and reaches nothing that is not its own."""

import shutil
import threading
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from api.files_page import make_app
from escriba.reports.figures import Figures, Spend
from escriba.reports.html.report_page import make_report
from escriba.reports.periods import last_days
from escriba.settings import load_settings
from resources.storage import open_storage

CHROMIUM = shutil.which("chromium")


@pytest.fixture
def served(tmp_path, free_port):
    """The address of a real server of a bucket with one report."""
    storage = open_storage(load_settings(storage_url=(tmp_path / "bucket").as_uri()))
    day = date(2026, 3, 20)
    figures = Figures(
        last_days(2, date(2026, 3, 21)), day, (Spend(day, "acme", "runpod", "run", Decimal(5)),)
    )
    report = make_report(figures, datetime(2026, 3, 21, 12, tzinfo=UTC))
    storage.write("reports/2026-03-21.html", report.html.encode())
    storage.write("reports/2026-03-21.png", report.png)
    storage.write("reports/notes.txt", b"no report")
    storage.write("reports/statements/acme/2026-02.html", b"<p>of acme</p>")
    storage.write("reports/statements/acme/2026-02.xlsx", b"PK")
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(make_app(storage), host="127.0.0.1", port=port, log_level="error")
    )
    began = threading.Event()
    startup = server.startup

    async def tell(*arguments, **named):
        await startup(*arguments, **named)
        began.set()

    server.startup = tell
    thread = threading.Thread(target=server.run)
    thread.start()
    assert began.wait(60)
    yield f"http://127.0.0.1:{port}/reports"
    server.should_exit = True
    thread.join(60)


def test_it_draws_in_an_origin_of_its_own(served):
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        said, asked = [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        answer = page.goto(f"{served}/2026-03-21.html")
        page.wait_for_selector("#c-spend svg")

        assert "sandbox allow-scripts" in answer.headers["content-security-policy"]
        assert page.evaluate("window.origin") == "null"
        assert said == []
        assert [url for url in asked if not url.startswith("data:")] == [answer.url]
        picture = page.goto(f"{served}/2026-03-21.png")
        assert picture.headers["content-type"] == "image/png"
        assert page.goto(f"{served}/notes.txt").status == 404
        browser.close()


def test_a_statement_is_shown_and_its_workbook_is_saved_under_its_name(served):
    page = httpx.get(f"{served}/statements/acme/2026-02.html")
    book = httpx.get(f"{served}/statements/acme/2026-02.xlsx")

    assert (page.text, page.headers["content-type"]) == (
        "<p>of acme</p>",
        "text/html; charset=utf-8",
    )
    assert "sandbox" in page.headers["content-security-policy"]
    assert book.headers["content-disposition"] == "attachment; filename*=UTF-8''acme-2026-02.xlsx"
    assert book.headers["content-type"].endswith("spreadsheetml.sheet")
