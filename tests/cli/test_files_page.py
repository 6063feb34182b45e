"""What the links in Dagster's pages open, and what they never do."""

import pytest
from starlette.testclient import TestClient

from pipelines.files_page import make_app
from pipelines.settings import load_settings
from resources.storage import open_storage
from resources.storage.base import StorageError

OPEN = {
    "transcripts/acme/a b#1.wav/transcript.txt": "text/plain; charset=utf-8",
    "transcripts/acme/a.wav/diarized.json": "application/json; charset=utf-8",
    "transcripts/acme/a.wav/transcript.vtt": "text/vtt; charset=utf-8",
    "digests/2026-03-01.md": "text/plain; charset=utf-8",
    "work/acme/a.wav/log.jsonl": "text/plain; charset=utf-8",
}
CLOSED = [
    "inbox/acme/a.wav",
    "work/acme/jobs/0123/request.json",
    "work/acme/a.wav/stages/raw_audio.json",
    "work/acme/a.wav/audio.flac",
    "quarantine/acme/0123.json",
    "ledger/attempts/date=2026-03-01/x.parquet",
    "digests/2026/03.md",
    "requests/night.json",
    "",
]


@pytest.fixture
def storage(tmp_path):
    return open_storage(load_settings(storage_url=(tmp_path / "bucket").as_uri()))


@pytest.fixture
def browser(storage):
    return TestClient(make_app(storage))


def test_transcripts_digests_and_logs_are_shown_and_never_run_as_a_page(storage, browser):
    for key, kind in OPEN.items():
        storage.write(key, "<script>olá</script>".encode())
        shown = browser.get("/" + key.replace(" ", "%20").replace("#", "%23"))

        assert (shown.status_code, shown.text) == (200, "<script>olá</script>"), key
        assert shown.headers["content-type"] == kind
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in shown.headers["content-security-policy"]
        assert shown.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("key", CLOSED)
def test_everything_else_is_as_good_as_not_there(storage, browser, key):
    if key:
        storage.write(key, b"secret")

    assert browser.get(f"/{key}").status_code == 404
    assert "secret" not in browser.get(f"/{key}").text


@pytest.mark.parametrize("way", ["..", "%2e%2e", "%2E.", "..%2f..", "%252e%252e"])
def test_no_way_leads_back_out_of_what_is_open(tmp_path, storage, browser, way):
    storage.write("inbox/acme/a.wav", b"secret")
    storage.write("transcripts/acme/a.wav/transcript.txt", b"open")
    (tmp_path / "outside").write_text("secret")

    for path in (f"transcripts/{way}/inbox/acme/a.wav", f"transcripts/{way}/{way}/outside"):
        assert browser.get(f"/{path}").status_code == 404


def test_nothing_can_be_written_or_removed(storage, browser):
    storage.write("transcripts/acme/a.wav/transcript.txt", b"open")

    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = browser.request(method, "/transcripts/acme/a.wav/transcript.txt")
        assert answer.status_code == 405


def test_a_store_that_is_down_is_a_sentence(storage, browser, monkeypatch):
    def down(key):
        raise StorageError("The bucket cannot be reached: connection refused.")

    monkeypatch.setattr(storage, "read", down)

    answer = browser.get("/digests/2026-03-01.md")

    assert answer.status_code == 502
    assert answer.text == "The bucket cannot be reached: connection refused.\n"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_an_s3_store_that_is_down_tells_no_secret(free_port):
    settings = load_settings(
        storage_url="s3://bucket/prefix",
        aws_endpoint_url=f"http://127.0.0.1:{free_port()}",
        aws_access_key_id="AKIAHUNTER",
        aws_secret_access_key="hunter2",
    )

    answer = TestClient(make_app(open_storage(settings))).get("/digests/2026-03-01.md")

    assert answer.status_code == 502
    assert "hunter" not in answer.text.lower()
