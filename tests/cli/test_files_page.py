"""What the links in Dagster's pages open, and what they never do."""

import html
import re
from types import SimpleNamespace
from urllib.parse import urljoin

import pytest
from starlette.testclient import TestClient

from api.files_page import make_app
from api.served_keys import is_key
from escriba.settings import load_settings
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


def test_the_page_lists_tenants_recordings_and_formats(storage, browser):
    for file in ("diarized.json", "transcript.docx", "transcript.txt"):
        storage.write(f"transcripts/acme/2026/a.mp3/{file}", b"x")
    storage.write("transcripts/law/b.mp3/turns.rttm", b"x")
    storage.write("digests/2026-03-01.md", b"x")

    shown = browser.get("/")

    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert [label for _, label in links(shown)] == [
        *("All transcripts", "acme", "law", "Digests"),
        *("TXT", "DOCX", "JSON", "RTTM"),
    ]
    assert "2026/a.mp3" in shown.text
    for address, _ in links(shown):
        assert browser.get(address).status_code == 200
    assert "2026-03-01.md" in browser.get("/digests").text


@pytest.mark.parametrize(
    "folder", ["transcripts", "transcripts/acme", "transcripts/acme/", "transcripts/acme/a.wav"]
)
def test_a_folder_is_listed(storage, browser, folder):
    storage.write("transcripts/acme/a.wav/transcript.txt", b"x")

    shown = browser.get(f"/{folder}")

    assert shown.status_code == 200
    ways = [way for way, label in links(shown) if label == "TXT"]
    assert [browser.get(way).text for way in ways] == ["x"]


def test_behind_a_proxy_every_link_stays_below_its_path(storage, browser):
    storage.write("transcripts/acme/a.wav/transcript.txt", b"x")
    for place in ("", "transcripts", "transcripts/acme/", "transcripts/acme/a.wav"):
        ways = re.findall(r'<a href="([^"]+)"', browser.get(f"/{place}").text)
        there = [urljoin(f"https://example.org/files/{place}", way) for way in ways]
        assert there[0] == "https://example.org/files/"
        assert there[-1] == "https://example.org/files/transcripts/acme/a.wav/transcript.txt"


@pytest.mark.parametrize("folder", ["inbox", "inbox/", "work/acme/", "ledger/", "requests", "work"])
def test_other_folders_are_as_good_as_not_there(storage, browser, folder):
    storage.write(f"{folder.rstrip('/')}/acme/secret.wav", b"x")
    assert browser.get(f"/{folder}").status_code == 404
    assert "secret" not in browser.get(f"/{folder}").text


def test_names_are_texts_and_their_links_lead_there(storage, browser):
    names = ["<img src=x onerror=alert(1)>.wav", "a\"b'#? 100% &amp;.wav", "ação 日本.wav"]
    for name in names:
        storage.write(f"transcripts/acme/{name}/transcript.txt", name.encode())

    shown = browser.get("/")
    found = [browser.get(address).text for address, label in links(shown) if label == "TXT"]

    assert sorted(found) == sorted(names)
    assert "<img" not in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]


def test_a_large_bucket_is_shown_a_page_at_a_time(storage, browser):
    for i in range(205):
        storage.write(f"transcripts/acme/{i:03}.wav/diarized.json", b"x")
        storage.write(f"transcripts/acme/{i:03}.wav/transcript.txt", b"x")

    address, seen = "/transcripts", []
    while address:
        shown = browser.get(address)
        found = links(shown)
        seen.append([link for link, label in found if label == "TXT"])
        address = next((link for link, label in found if label == "Next page"), "")

    assert [len(page) for page in seen] == [100, 100, 5]
    assert len({link for page in seen for link in page}) == 205


def test_documents_are_saved_under_the_name_of_their_recording(storage, browser):
    storage.write("transcripts/acme/ação.mp3/transcript.docx", b"x")

    saved = browser.get("/transcripts/acme/ação.mp3/transcript.docx").headers

    assert saved["content-disposition"] == "attachment; filename*=UTF-8''a%C3%A7%C3%A3o.mp3.docx"


def test_an_empty_bucket_says_what_to_do(browser):
    assert "escriba add" in browser.get("/").text


def links(shown):
    found = re.findall(r'<a href="([^"]+)"[^>]*>([^<]*)</a>', shown.text)
    base = str(shown.url)
    return [(urljoin(base, html.unescape(way)), html.unescape(label)) for way, label in found]


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


def test_links_planted_in_the_bucket_lead_nowhere(tmp_path, storage, browser):
    storage.write("inbox/acme/a.wav", b"secret")
    storage.write("transcripts/acme/a.wav/transcript.txt", b"open")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    bucket = tmp_path / "bucket"
    (bucket / "transcripts" / "acme" / "a.wav" / "x.txt").symlink_to(bucket / "inbox/acme/a.wav")
    (bucket / "transcripts" / "evil").symlink_to(tmp_path / "outside")
    (bucket / "digests").symlink_to(tmp_path / "outside")
    (bucket / "reports").symlink_to(tmp_path / "nowhere")

    for path in (
        "transcripts/acme/a.wav/x.txt", "transcripts/evil/secret.txt", "transcripts/evil",
        "transcripts/evil/", "digests/", "digests/secret.txt", "reports/", "reports/x.html",
    ):  # fmt: skip
        answer = browser.get(f"/{path}")
        assert (answer.status_code, "secret" in answer.text.replace(path, "")) == (404, False), path
    assert browser.get("/transcripts/acme/a.wav/transcript.txt").text == "open"
    assert browser.get("/").status_code == 200


def test_keys_that_no_store_can_have_are_not_found(storage, browser):
    storage.write("transcripts/acme/a.wav/transcript.txt", b"open")
    long = "x" * 300
    for path in (
        "%00", "transcripts/%00", "transcripts/acme/a.wav/transcript.txt%00", "transcripts/a%0A/",
        "transcripts/%1b[2J", "transcripts/%ff%fe/x.txt", "transcripts/%ED%B2%80/x.txt",
        f"transcripts/{long}/x.txt", f"transcripts/{long}", "transcripts/" + "y/" * 600,
        "transcripts?after=%00", f"transcripts/?after=transcripts/{long}", "digests/%7f.md",
    ):  # fmt: skip
        answer = browser.get(f"/{path}")
        assert answer.status_code == 404, path
        assert not any(c < " " for c in answer.text.rstrip("\n")), path


def test_the_names_of_a_folder_are_shorter_than_those_of_a_cloud():
    folder, cloud = SimpleNamespace(url="file:///srv/bucket"), SimpleNamespace(url="s3://bucket")
    for key, in_folder, in_cloud in (
        ("transcripts/" + "x" * 255, True, True),
        ("transcripts/" + "x" * 256, False, True),
        ("a/" * 512, True, True),
        ("a/" * 512 + "a", False, False),
    ):
        assert (is_key(folder, key), is_key(cloud, key)) == (in_folder, in_cloud), key
