"""How long an address lives, which is never longer than the credentials that sign it."""

import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import boto3
import pytest

from escriba.settings import load_settings
from gpu_job import transfer
from resources.storage import open_storage
from resources.storage.base import StorageError
from tests.loopback import Answering

WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)


def test_a_folders_addresses_live_without_a_limit(tmp_path):
    store = open_storage(load_settings(storage_url=tmp_path.as_uri()))

    assert store.address_life() is None
    assert store.address("claim", "read", 100 * WEEK)


def test_a_users_own_key_signs_for_a_week(cloud):
    store = open_storage(cloud)
    store.write("claim", b"mine")

    assert store.address_life() == WEEK
    assert transfer.read(store.address("claim", "read", WEEK)) == b"mine"


def test_what_would_outlive_its_credentials_is_not_signed(cloud):
    store = open_storage(cloud)

    with pytest.raises(StorageError, match=r"168\.0 h\. Lower QUEUE_LIMIT_SECONDS or JOB_TIMEOUT"):
        store.address("claim", "read", WEEK + timedelta(minutes=30))


def test_a_session_token_that_tells_no_end_is_good_for_an_hour():
    store = open_storage(
        load_settings(
            storage_url="s3://bucket",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            aws_session_token="token",
        )
    )

    assert store.address_life() == timedelta(hours=1)
    with pytest.raises(StorageError, match=r"1\.0 h.*user's own key \(AWS_ACCESS_KEY_ID"):
        store.address("claim", "read", timedelta(hours=2))


@pytest.mark.parametrize(
    ("token", "hours"), [("", 7 * 24), ("aws_session_token = token\n", 1)], ids=["user", "session"]
)
def test_the_same_holds_of_a_profile(token, hours, tmp_path, monkeypatch):
    keys = "[default]\naws_access_key_id = key\naws_secret_access_key = secret\n"
    (tmp_path / "credentials").write_text(keys + token)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    store = open_storage(load_settings(storage_url="s3://bucket"))

    assert store.address_life() == timedelta(hours=hours) - MINUTE
    assert store.address("claim", "read", store.address_life())


class Role(Answering, BaseHTTPRequestHandler):
    """Where a container asks for the credentials of its role."""

    def do_GET(self):
        self.server.asked += 1
        if self.server.ends_in is None:
            return self.answer(500)
        end = datetime.now(UTC) + self.server.ends_in
        given = {
            "AccessKeyId": f"key-{self.server.asked}",
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return self.answer(200, json.dumps(given).encode())


@pytest.fixture
def role(monkeypatch):
    """A role with credentials that expire in five hours."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Role) as server:
        server.asked, server.ends_in = 0, timedelta(hours=5)
        url = f"http://127.0.0.1:{server.server_port}/role"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_roles_addresses_live_as_long_as_its_credentials(role):
    store = open_storage(load_settings(storage_url="s3://bucket"))
    life = store.address_life()

    assert timedelta(hours=4.9) < life < timedelta(hours=5)
    assert "key-1" in store.address("claim", "read", life).url
    with pytest.raises(StorageError, match="user's own key"):
        store.address("claim", "read", timedelta(hours=6))


def test_what_signs_is_what_was_asked_for_its_end(role):
    """boto3 fetches new credentials a quarter of an hour before the old ones end."""
    role.ends_in = timedelta(minutes=12)
    store = open_storage(load_settings(storage_url="s3://bucket"))
    store.address("claim", "read", MINUTE)
    role.ends_in = timedelta(hours=5)

    life = store.address_life()

    assert life > timedelta(hours=4)
    assert f"key-{role.asked}%2F" in store.address("claim", "read", life).url


def test_credentials_that_ended_and_are_not_renewed_are_a_sentence(role):
    role.ends_in = timedelta(minutes=-5)
    store = open_storage(load_settings(storage_url="s3://bucket"))
    role.ends_in = None

    with pytest.raises(StorageError, match="Check the role or the profile"):
        store.address("claim", "read", MINUTE)
