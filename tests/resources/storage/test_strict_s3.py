"""S3 addresses at a server that checks signatures and their end. It has no conditional PUT."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from escriba.settings import load_settings
from gpu_job import transfer
from gpu_job.transfer import Put, TransferError
from resources.storage import open_storage
from resources.storage.base import StorageError

LIFE = timedelta(minutes=5)
KEY = "jobs/a b#%é/claim"


@dataclass
class Store:
    ours: object
    stranger: object  # with another secret


@pytest.fixture
def store(strict_s3_server):
    def with_secret(secret):
        return open_storage(
            load_settings(
                storage_url="s3://bucket/some/prefix",
                aws_endpoint_url=strict_s3_server,
                aws_access_key_id="key",
                aws_secret_access_key=secret,
            )
        )

    ours = with_secret("the-secret")
    ours.write(KEY, b"mine")
    return Store(ours, with_secret("another"))


def is_refused(send):
    """As the worker sees it: the address is no longer valid, and nothing was done."""
    with pytest.raises(TransferError, match="403") as told:
        send()
    return told.value.expired and not told.value.unreachable


def test_addresses_signed_by_us_are_accepted(store, tmp_path):
    beat = store.ours.address(KEY, "write", LIFE)
    read = store.ours.address(KEY, "read", LIFE)

    assert transfer.put(beat, b"again") is Put.WRITTEN
    assert transfer.read(read) == b"again"
    assert transfer.fetch(read, tmp_path).read_bytes() == b"again"
    assert transfer.read(store.ours.address("jobs/none", "read", LIFE)) is None


def test_an_address_of_another_key_is_refused(store):
    read = store.ours.address(KEY, "read", LIFE)
    other = read.model_copy(update={"url": read.url.replace("/claim?", "/result?")})

    assert other.url != read.url
    assert is_refused(lambda: transfer.read(other))


def test_an_address_of_a_wrong_secret_is_refused(store, tmp_path):
    read = store.stranger.address(KEY, "read", LIFE)
    beat = store.stranger.address(KEY, "write", LIFE)

    assert is_refused(lambda: transfer.read(read))
    assert is_refused(lambda: transfer.fetch(read, tmp_path))
    assert is_refused(lambda: transfer.put(beat, b"theirs"))
    assert store.ours.read(KEY) == b"mine"


def test_an_address_to_read_writes_nothing(store):
    read = store.ours.address(KEY, "read", LIFE)
    write = read.model_copy(update={"method": "PUT"})

    assert is_refused(lambda: transfer.put(write, b"theirs"))
    assert store.ours.read(KEY) == b"mine"


def test_an_address_is_refused_once_its_life_is_over(store):
    read = store.ours.address(KEY, "read", timedelta(seconds=1))

    with pytest.raises(TransferError) as told:
        _read_as_long_as_it_lives(read)

    assert told.value.expired


def _read_as_long_as_it_lives(address):
    while True:
        assert transfer.read(address) == b"mine"


def test_a_store_with_a_wrong_secret_says_what_to_check(store):
    with pytest.raises(StorageError, match="AWS_SECRET_ACCESS_KEY") as told:
        store.stranger.read(KEY)

    assert "another" not in str(told.value)
