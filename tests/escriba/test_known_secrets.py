"""Secrets of this process are shown nowhere, in no form; what only looks like one is hidden too."""

import html
import io
import json
import logging
import subprocess
import sys
from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest
from pydantic import BaseModel, ValidationError

from escriba import known_secrets
from escriba.errors import EscribaError, RecordingError
from escriba.known_secrets import mask_error, masked, remember_secrets
from escriba.masked_errors import masks_errors
from escriba.masked_logs import MaskedRecord
from escriba.secret_looks import secret_look
from escriba.settings import HOUSE

SECRET = 'mark/er+wörd"&<1234567890>'
WAYS = {
    "as it is": str,
    "of a URL": lambda s: quote(s, safe=""),
    "of a form": quote_plus,
    "of JSON": json.dumps,
    "of JSON with letters": lambda s: json.dumps(s, ensure_ascii=False),
    "of HTML": html.escape,
    "of Python": repr,
    "of a header": lambda s: b64encode(f"user:{s}".encode()).decode(),
    "of a header, one letter on": lambda s: b64encode(f"user1:{s}x".encode()).decode(),
    "of a header, two letters on": lambda s: b64encode(f"user12:{s}xy".encode()).decode(),
}


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    """What a test makes known is forgotten after it."""
    monkeypatch.setattr(known_secrets, "_known", set())
    monkeypatch.setattr(known_secrets, "_pattern", None)


@pytest.mark.parametrize("way", WAYS)
def test_a_known_secret_is_hidden_in_every_form(way):
    remember_secrets([SECRET])
    text = WAYS[way](SECRET)

    shown = masked(f"before {text} after")

    assert "***" in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert text[8:-8] not in shown


def test_the_password_of_a_url_is_a_secret_of_its_own():
    remember_secrets(["postgresql://user:hunter%2F22@db.example/costs"])

    assert masked('password "hunter/22" of user') == 'password "***" of user'
    assert masked("postgresql://user:hunter%2F22@db.example/costs?x") == "***?x"


def test_a_short_secret_is_hidden_as_a_word_and_not_inside_of_words():
    remember_secrets(["minioadmin", "postgres", "key", "secret"])

    assert masked("minioadmin: minioadministrator") == "***: minioadministrator"
    assert masked("postgres: the postgresql server") == "postgres: the postgresql server"
    assert masked("the key of a keyboard") == "the key of a keyboard"


LOOKS = {
    "sk-proj-Ab3defGhij7klmnOpqrst": "an API key",
    "sk-" + "aB3dE6gH" * 6: "an API key",
    "sk-or-v1-" + "0123456789abcdef" * 4: "an API key",
    "sk-ant-api03-Ab3-efGh_j7klmnOpqrst": "an API key",
    "gsk_" + "aB3dE6gH9kLmN" * 4: "an API key",
    "rpa_" + "AB3DE6GH" * 5: "an API key",
    "AKIAIOSFODNN7EXAMPLE": "an access key of AWS",
    "https://b.s3.amazonaws.com/k?X-Amz-Signature=0123abcd&x=1": "a signed URL",
    "az://c?sv=2023&sig=abc%2F": "a signed URL",
    "postgresql://me:hunter22@host/db": "a URL with a password",
    '{"private_key": "x"}': "credentials as JSON",
    "-----BEGIN PRIVATE KEY-----": "a private key",
}
HARMLESS = (
    "postgresql://user:password@host/name",
    "s3://bucket/prefix",
    "acme/sk-2024-01-02-interview-about-nothing-at-all.mp3",
    "rpa_call_recordings_2024",
    "gsk_interviews_of_2024_in_the_old_town_hall",
    "sk-recordings2024archive",
    "sk-nahravky_mesto_2025",
    "token transcripts/acme/2024-meeting.mp3",
    "token transcripts-of-the-council/2024-meeting.mp3",
    "basic transcripts/acme/2024-meeting.mp3",
    "the token of the hub is missing",
    "https://example.com/page?after=inbox%2Facme&limit=20",
    "work/acme/jobs/" + "0123456789abcdef" * 4 + "/result.json",
    "10:30:00 12:45 a@b.c http://localhost:3000",
)


def test_what_looks_like_a_secret_is_named_and_hidden_and_nothing_else_is():
    for text, look in LOOKS.items():
        assert secret_look(text) == look, text
        assert masked(text) != text
    for text in HARMLESS:
        assert secret_look(text) == "", text
        assert masked(text) == text
    for header in ("Bearer a/b-0123456789ab", "Basic  dXNl/jpwYXNz+29y=", "token 0123456789abcdef"):
        assert masked(f"sent {header}, and").endswith(" ***, and"), header


def test_errors_show_no_secret_with_all_their_causes():
    remember_secrets([SECRET])

    class Numbers(BaseModel):
        number: int

    def fails():
        cause = OSError(2, f"no {SECRET}", f"/tmp/{SECRET}")
        raise ValueError(f"cannot {SECRET}") from cause

    with pytest.raises(ValueError, match=r"cannot \*\*\*") as caught:
        masks_errors(fails)()
    assert SECRET not in str(caught.value.__cause__)
    with pytest.raises(ValidationError) as wrong:
        Numbers(number=SECRET)
    assert SECRET not in str(mask_error(wrong.value))
    assert SECRET not in str(EscribaError(f"of {SECRET}"))
    assert SECRET not in str(RecordingError("code", f"of {SECRET}", "advice"))


def test_logs_show_no_secret_in_text_arguments_or_traceback():
    remember_secrets([SECRET])
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    for text, arguments in (
        ("of %s", (SECRET,)),
        (f"of {SECRET}", ()),
        ("%(a)s", ({"a": SECRET},)),
    ):
        handler.handle(MaskedRecord("name", 20, "", 1, text, arguments, None))
    error = ValueError(SECRET)
    handler.handle(MaskedRecord("name", 40, "", 1, "failed", (), (ValueError, error, None)))

    assert SECRET not in said.getvalue()
    assert said.getvalue().count("***") == 4


UNCAUGHT = """
import logging, threading
from escriba.settings import load_settings
load_settings(runpod_api_key="marker-0123456789abcdef")
def fail(): raise ValueError("of marker-0123456789abcdef")
thread = threading.Thread(target=fail); thread.start(); thread.join()
logging.getLogger("x").error("of %s", "marker-0123456789abcdef")
fail()
"""


def test_a_process_that_crashes_shows_no_secret(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", UNCAUGHT],
        env={"PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.count("ValueError: of ***") == 2
    assert "of ***\n" in done.stderr
    assert "marker-" not in done.stderr.replace("load_settings", "").replace('"of marker', "")
