"""Addresses of Google Cloud Storage: by key file as Google's own library signs, or by signBlob."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import httpx
import pytest
from google.auth.compute_engine import _metadata
from google.cloud import storage as google_storage
from google.oauth2 import service_account

from escriba.settings import SettingsError, load_settings
from gpu_job import transfer
from gpu_job.transfer import Put, TransferError
from resources.storage import open_storage
from resources.storage.base import StorageError
from resources.storage.gcs import GcsStorage
from resources.storage.gcs_login import log_in
from tests.resources.storage.conftest import EMAIL
from tests.resources.storage.google import TOKEN, machine_of_google

LIFE = timedelta(minutes=5)
NOW = datetime(2026, 11, 25, 4, 30, tzinfo=UTC)
KEYS = ["plain", "a b/claim-1.json", "#/claim", "100%/claim", "é/😀~x", "a+b&c=d?e", "'(!)*"]


@pytest.fixture
def signed_by_google(key_file, monkeypatch):
    """What google-cloud-storage makes of the same wish, at the same moment."""
    credentials = service_account.Credentials.from_service_account_file(str(key_file))
    bucket = google_storage.Client(project="project", credentials=credentials).bucket("bucket")
    stamps = (NOW.strftime("%Y%m%dT%H%M%SZ"), NOW.strftime("%Y%m%d"))
    monkeypatch.setattr("google.cloud.storage._signing.get_v4_now_dtstamps", lambda: stamps)

    def sign(address, key):
        return bucket.blob(f"some/prefix/{key}").generate_signed_url(
            version="v4", expiration=LIFE, method=address.method, headers=address.headers or None
        )

    return sign


@pytest.mark.parametrize("permission", ["read", "write", "create"])
@pytest.mark.parametrize("key", KEYS)
def test_our_urls_are_googles_own_byte_for_byte(key, permission, key_file, signed_by_google):
    settings = load_settings(google_application_credentials=str(key_file))
    store = GcsStorage("bucket", "some/prefix", settings, clock=lambda: NOW)

    address = store.address(key, permission, LIFE)

    assert address.url == signed_by_google(address, key)


def test_the_condition_of_a_creation_cannot_be_left_out(gcs):
    store = open_storage(gcs.settings)
    create = store.address("claim", "create", LIFE)
    assert transfer.put(create, b"mine") is Put.WRITTEN
    assert transfer.put(create, b"theirs") is Put.EXISTS
    bare = {"Content-Type": create.headers["Content-Type"]}

    with pytest.raises(TransferError, match="403"):
        transfer.put(create.model_copy(update={"headers": bare}), b"theirs")
    beat = store.address("claim", "write", LIFE)
    with pytest.raises(TransferError, match="400"):
        transfer.put(beat.model_copy(update={"headers": create.headers}), b"theirs")
    assert store.read("claim") == b"mine"


def test_an_address_that_is_over_is_told_as_such(gcs):
    bucket, prefix = gcs.name, "some/prefix"
    past = GcsStorage(bucket, prefix, gcs.settings, clock=lambda: datetime.now(UTC) - 2 * LIFE)

    with pytest.raises(TransferError) as told:
        transfer.read(past.address("claim", "read", LIFE))

    assert told.value.expired


@pytest.fixture
def machine(gcs, gcs_server, google_key, monkeypatch):
    """Storage on a Google machine with a service account, without a key file."""
    gcs_server.tokens.add(TOKEN)
    with machine_of_google(google_key, EMAIL) as google:
        host = google.url.removeprefix("http://")
        monkeypatch.setenv("GCE_METADATA_IP", host)
        monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", host)  # read once, at import
        monkeypatch.setenv("CLOUDSDK_CONFIG", "/nowhere")
        settings = gcs.settings.model_copy(update={"google_application_credentials": ""})
        login = partial(log_in, iam_url=google.url)
        store = GcsStorage(gcs.name, "some/prefix", settings, login=login)
        yield SimpleNamespace(store=store, google=google)


def test_where_google_gives_the_credentials_google_signs(machine):
    store = machine.store
    create = store.address("a b#%é/claim", "create", LIFE)
    read = store.address("a b#%é/claim", "read", LIFE)

    assert machine.google.signed == 2
    assert transfer.put(create, b"mine") is Put.WRITTEN
    assert transfer.put(create, b"theirs") is Put.EXISTS
    assert transfer.read(read) == b"mine"
    assert store.read("a b#%é/claim") == b"mine"
    assert [one.key for one in store.list("a b#%é/")] == ["a b#%é/claim"]


def test_what_google_signs_lives_for_half_a_day(machine):
    assert machine.store.address_life() == timedelta(hours=12)
    with pytest.raises(StorageError, match=r"QUEUE_LIMIT_.*GOOGLE_APPLICATION_CREDENTIALS"):
        machine.store.address("claim", "read", timedelta(hours=13))
    assert machine.google.signed == 0


def test_a_signature_that_google_refuses_names_the_role(machine):
    machine.google.refuses = 403

    with pytest.raises(StorageError, match=r"status 403.*Token Creator") as told:
        machine.store.address("claim", "read", LIFE)

    assert TOKEN not in str(told.value)


def test_google_that_does_not_answer_is_a_sentence(machine, monkeypatch):
    def refuse(*_, **__):
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(httpx, "post", refuse)

    with pytest.raises(StorageError, match="ConnectError"):
        machine.store.address("claim", "read", LIFE)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("no JSON", "is not a key file"),
        ("[]", "is not a key file"),
        (json.dumps({"type": "service_account", "client_email": "a@b"}), "no RSA key"),
        (
            json.dumps({"type": "service_account", "client_email": "a@b", "private_key": "x"}),
            "no RSA key",
        ),
        (json.dumps({"type": "unheard-of"}), "no usable ones were found"),
    ],
)
def test_a_file_that_is_no_key_names_its_setting(content, told, tmp_path):
    (tmp_path / "key.json").write_text(content)
    settings = load_settings(google_application_credentials=str(tmp_path / "key.json"))

    with pytest.raises(SettingsError, match=told) as error:
        GcsStorage("bucket", "", settings)

    assert "GOOGLE_APPLICATION_CREDENTIALS" in str(error.value)


def test_a_person_who_logged_in_can_sign_nothing(tmp_path):
    person = {"client_id": "1", "client_secret": "2", "refresh_token": "3"}
    (tmp_path / "person.json").write_text(json.dumps({"type": "authorized_user", **person}))
    settings = load_settings(google_application_credentials=str(tmp_path / "person.json"))

    with pytest.raises(StorageError, match="do not belong to a service account"):
        GcsStorage("bucket", "", settings).address("claim", "read", LIFE)


def test_a_key_that_nobody_can_parse_hides_no_other(gcs):
    store = open_storage(gcs.settings)
    store.write("inbox/t/good.mp3", b"1")
    template = gcs.bucket.objects["some/prefix/inbox/t/good.mp3"]
    odd = ["inbox/t//empty.mp3", "inbox/t/&<é>//x", "inbox/t/bell\x07.mp3", "inbox/folder/"]
    for key in odd:
        gcs.bucket.objects[f"some/prefix/{key}"] = template

    keys = [one.key for one in store.list("inbox/")]

    assert keys == sorted([*odd[:3], "inbox/t/good.mp3"])
    assert [one.key for one in store.list("inbox/", after=keys[0])] == keys[1:]
    assert {one.modified.utcoffset() for one in store.list("inbox/")} == {timedelta(0)}


def test_a_long_listing_goes_on_page_by_page(gcs):
    store = open_storage(gcs.settings)
    store.write("inbox/t/z", b"1")
    template = gcs.bucket.objects["some/prefix/inbox/t/z"]
    keys = [f"inbox/t//{number:05d}" for number in range(2_500)]
    gcs.bucket.objects.update({f"some/prefix/{key}": template for key in keys})

    assert [one.key for one in store.list("inbox/")] == [*keys, "inbox/t/z"]
