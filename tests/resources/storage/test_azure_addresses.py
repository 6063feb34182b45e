"""Addresses of Azure Blob: as Microsoft's own library signs them, and what Azure refuses."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.storage.blob import BlobSasPermissions, generate_blob_sas

from escriba.settings import SettingsError, load_settings
from gpu_job import transfer
from gpu_job.transfer import Put, TransferError
from resources.storage import open_storage
from resources.storage.azure import AzureStorage
from resources.storage.azure_sas import VERSION
from tests.resources.storage.conftest import ACCOUNT, ACCOUNT_KEY

LIFE = timedelta(minutes=5)
NOW = datetime(2026, 11, 25, 4, 30, tzinfo=UTC)


def shared_access(url):
    return {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}


@pytest.mark.parametrize("permission", ["read", "create"])
@pytest.mark.parametrize("key", ["plain", "a b/#/100%/é/😀~x/a+b&c=d?e", "'(!)*"])
def test_our_signatures_are_microsofts_own(key, permission, monkeypatch):
    monkeypatch.setattr("azure.storage.blob._shared_access_signature.X_MS_VERSION", VERSION)
    settings = load_settings(azure_storage_account=ACCOUNT, azure_storage_key=ACCOUNT_KEY)
    store = AzureStorage("container", "some/prefix", settings, clock=lambda: NOW)

    address = store.address(key, permission, LIFE)

    theirs = generate_blob_sas(
        ACCOUNT,
        "container",
        f"some/prefix/{key}",
        account_key=ACCOUNT_KEY,
        permission=BlobSasPermissions(read=permission == "read", write=permission != "read"),
        expiry=NOW + LIFE,
    )
    assert shared_access(address.url) == shared_access(f"?{theirs}")
    assert address.url.startswith(f"https://{ACCOUNT}.blob.core.windows.net/container/some/prefix/")


def test_what_is_refused_is_told_as_expired(azure):
    store = open_storage(azure.settings)
    store.write("claim", b"mine")
    read = store.address("claim", "read", LIFE)
    as_put = read.model_copy(update={"method": "PUT", "headers": dict(AzureStorage.put_headers)})
    of_another_key = read.model_copy(update={"url": read.url.replace("/claim?", "/result?")})
    past = AzureStorage(
        azure.name, "some/prefix", azure.settings, clock=lambda: datetime.now(UTC) - 2 * LIFE
    )

    for send in (
        lambda: transfer.put(as_put, b"theirs"),
        lambda: transfer.read(of_another_key),
        lambda: transfer.read(past.address("claim", "read", LIFE)),
    ):
        with pytest.raises(TransferError, match="403") as told:
            send()
        assert told.value.expired
    assert store.read("claim") == b"mine"


def test_a_clock_that_is_ahead_makes_addresses_that_work_at_once(azure):
    """`obstore.sign` makes them valid from our own time on, which Azure then refuses."""
    ahead = AzureStorage(
        azure.name, "some/prefix", azure.settings, clock=lambda: datetime.now(UTC) + LIFE
    )

    assert transfer.put(ahead.address("claim", "create", LIFE), b"mine") is Put.WRITTEN


def test_a_key_that_nobody_can_parse_hides_no_other(azure):
    store = open_storage(azure.settings)
    store.write("inbox/t/good.mp3", b"1")
    for key in ("inbox/t//empty.mp3", "inbox/folder/", "inbox/t/&<é>//x"):
        azure.container.upload_blob(f"some/prefix/{key}", b"x")

    keys = [one.key for one in store.list("inbox/")]

    assert keys == ["inbox/t/&<é>//x", "inbox/t//empty.mp3", "inbox/t/good.mp3"]
    assert [one.key for one in store.list("inbox/", after=keys[0])] == keys[1:]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "AZURE_STORAGE_ACCOUNT"),
        ({"azure_storage_account": "somebody"}, "AZURE_STORAGE_KEY, or AZURE_LOGIN=identity"),
        (
            {"azure_storage_account": "somebody", "azure_storage_key": "no-base64"},
            "AZURE_STORAGE_KEY",
        ),
    ],
)
def test_credentials_that_are_missing_name_their_settings(given, told):
    with pytest.raises(SettingsError, match=told) as error:
        open_storage(load_settings(storage_url="az://container/x", **given))

    assert "no-base64" not in str(error.value)
