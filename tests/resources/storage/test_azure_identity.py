"""Azure without the account's key: a machine's identity reads, writes and signs."""

from datetime import timedelta

import pytest
from azure.storage.blob import BlobServiceClient

from escriba.settings import load_settings
from gpu_job import transfer
from gpu_job.transfer import Put
from resources.storage import open_storage
from resources.storage.base import StorageError
from tests.resources.storage.conftest import ACCOUNT, ACCOUNT_KEY
from tests.resources.storage.microsoft import certificates, identity_of_a_machine
from tests.resources.storage.servers import azurite

LIFE = timedelta(minutes=5)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A container at an Azurite that takes tokens, which it does by TLS alone."""
    authority, certificate, key = certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    options = ("--oauth", "basic", "--cert", certificate, "--key", key)
    with azurite(*options) as url, identity_of_a_machine() as identity:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", identity)
        endpoint = f"{url}/{ACCOUNT}"
        with BlobServiceClient(
            endpoint, credential=ACCOUNT_KEY, connection_verify=str(authority)
        ) as client:
            client.create_container("recordings")
        yield open_storage(
            load_settings(
                storage_url="az://recordings/some/prefix",
                azure_endpoint_url=endpoint,
                azure_storage_account=ACCOUNT,
                azure_login="identity",
            )
        )


def test_an_identity_stores_lists_and_signs(store):
    create = store.address("a b#%é/claim", "create", LIFE)
    read = store.address("a b#%é/claim", "read", LIFE)

    assert transfer.put(create, b"mine") is Put.WRITTEN
    assert transfer.put(create, b"theirs") is Put.UNSURE
    assert transfer.read(read) == b"mine"
    assert store.read("a b#%é/claim") == b"mine"
    assert [one.key for one in store.list("a b#%é/")] == ["a b#%é/claim"]


def test_a_key_that_nobody_can_parse_hides_no_other(store):
    store.write("inbox/t/good.mp3", b"1")
    odd = store.address("inbox/t//empty.mp3", "create", LIFE)
    assert transfer.put(odd, b"x") is Put.WRITTEN

    keys = [one.key for one in store.list("inbox/")]

    assert keys == ["inbox/t//empty.mp3", "inbox/t/good.mp3"]


def test_its_addresses_live_for_six_days(store):
    assert store.address_life() == timedelta(days=6)
    assert store.address("claim", "read", timedelta(days=6))
    with pytest.raises(StorageError, match="QUEUE_LIMIT_SECONDS"):
        store.address("claim", "read", timedelta(days=7))


def test_an_identity_that_is_not_there_says_what_to_set(monkeypatch):
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")  # there is none there
    settings = load_settings(
        storage_url="az://recordings", azure_storage_account=ACCOUNT, azure_login="identity"
    )

    with pytest.raises(StorageError, match="AZURE_STORAGE_KEY, or the identity of AZURE_LOGIN"):
        open_storage(settings).read("claim")
    with pytest.raises(StorageError, match="or set AZURE_STORAGE_KEY"):
        open_storage(settings).address("claim", "read", LIFE)
