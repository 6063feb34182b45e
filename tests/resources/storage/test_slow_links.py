"""Links that are slow or break: what is large arrives, in both directions, and nothing is lost."""

import hashlib
import os
from datetime import timedelta
from io import BytesIO

import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from gpu_job import transfer
from resources.storage import open_storage
from resources.storage.base import TooLargeError
from resources.storage.link_patience import PART_BYTES
from resources.storage.resumed_download import Download
from tests.resources.storage.faulty_s3 import faulty_s3

MANY = 3_000_000
LIFE = timedelta(minutes=5)


@pytest.fixture
def odd_store():
    with faulty_s3() as store:
        yield store


def test_a_body_that_breaks_again_and_again_goes_on_where_it_broke(odd_store, tmp_path):
    data = os.urandom(MANY)
    odd_store.put("big", data)
    odd_store.oddities.cut_after, odd_store.oddities.cuts = 400_000, 6
    storage = open_storage(odd_store.settings())

    with storage.local_copy("big", tmp_path) as path:
        copy = path.read_bytes()
    sent = [headers.get("range", "all") for _, _, headers in odd_store.requests]

    assert copy == data
    assert sent[0] == "all"
    assert len(sent) == len(set(sent)) == 7  # nothing is asked for twice


@pytest.mark.parametrize("etag", ['"{}"', 'W/"{}"', ""])
def test_where_the_library_gives_up_the_download_goes_on(odd_store, etag):
    data, received, pauses = os.urandom(MANY), BytesIO(), []
    odd_store.put("big", data)
    odd = odd_store.oddities
    odd.etag_elsewhere, odd.cut_after, odd.cuts = etag, 250_000, 11

    Download(without_tries(odd_store), "big", received, pauses.append).run()

    assert received.getvalue() == data
    assert pauses == []  # each try brought something
    assert len(odd_store.requests) == 12


def test_a_download_that_brings_nothing_more_ends(odd_store):
    odd_store.put("big", os.urandom(MANY))
    odd_store.oddities.cut_after, odd_store.oddities.cuts = 100_000, 1
    odd_store.oddities.on_cut = lambda: setattr(odd_store.oddities, "answer", (503, "", {}))
    pauses = []

    with pytest.raises(BaseError, match="503"):
        Download(without_tries(odd_store), "big", BytesIO(), pauses.append).run()

    assert pauses == [1, 2, 4, 8]


def without_tries(odd_store):
    return S3Store(
        "bucket",
        endpoint=odd_store.url,
        access_key_id="key",
        secret_access_key="secret",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=9)},
    )


def test_a_small_object_that_is_cut_short_is_read_again(odd_store):
    odd_store.put("small", b"x" * 50_000)
    odd_store.oddities.cut_after, odd_store.oddities.cuts = 10_000, 3

    assert open_storage(odd_store.settings()).read("small") == b"x" * 50_000


def test_a_file_that_is_replaced_meanwhile_arrives_in_one_version(odd_store, tmp_path):
    old, new = os.urandom(MANY), os.urandom(MANY)
    odd_store.put("big", old)
    odd_store.oddities.cut_after, odd_store.oddities.cuts = 1_000_000, 1
    storage = open_storage(odd_store.settings())
    odd_store.oddities.on_cut = lambda: odd_store.put("big", new)

    with storage.local_copy("big", tmp_path) as path:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()

    assert digest == hashlib.sha256(new).hexdigest()


def test_a_large_upload_sends_few_parts_at_once_and_arrives(odd_store, tmp_path):
    data = os.urandom(4 * PART_BYTES + 1)
    (tmp_path / "big").write_bytes(data)
    odd_store.oddities.bytes_per_second = 30_000_000
    storage = open_storage(odd_store.settings())

    storage.upload("big", tmp_path / "big")

    assert odd_store.objects["big"][0] == data
    assert odd_store.most_at_once <= 2


def test_a_worker_goes_on_where_its_download_broke(odd_store, tmp_path, monkeypatch):
    data = os.urandom(MANY)
    odd_store.put("audio", data)
    odd_store.oddities.cut_after, odd_store.oddities.cuts = 300_000, 8
    address = open_storage(odd_store.settings()).address("audio", "read", LIFE)
    monkeypatch.setattr(transfer.time, "sleep", lambda _: None)

    assert transfer.fetch(address, tmp_path).read_bytes() == data
    assert len(odd_store.requests) == 9


@pytest.mark.parametrize("fault", ["ignored", "elsewhere", "changing"])
def test_a_download_that_starts_over_again_and_again_ends(odd_store, tmp_path, fault, monkeypatch):
    monkeypatch.setattr(transfer.time, "sleep", lambda _: None)
    odd = odd_store.oddities
    odd_store.put("big", b"a" * MANY)
    odd.cut_after, odd.cuts = 100_000, 1_000
    if fault == "changing":
        odd.on_cut = lambda: odd_store.put("big", os.urandom(MANY))
    else:
        odd.ranges = fault
    address = open_storage(odd_store.settings()).address("big", "read", LIFE)

    with pytest.raises(BaseError):
        Download(without_tries(odd_store), "big", BytesIO(), lambda _: None).run()
    ours = len(odd_store.requests)
    with pytest.raises(transfer.TransferError):
        transfer.fetch(address, tmp_path)

    assert ours <= 11
    assert len(odd_store.requests) - ours <= 11


def test_an_object_without_etags_that_is_replaced_meanwhile_arrives_in_one_version(odd_store):
    old, new, received = os.urandom(MANY), os.urandom(MANY), BytesIO()
    odd_store.put("big", old, modified=1e9)
    odd = odd_store.oddities
    odd.etag_elsewhere, odd.cut_after, odd.cuts = "", 1_000_000, 1
    odd.on_cut = lambda: odd_store.put("big", new, modified=1.1e9)

    Download(without_tries(odd_store), "big", received, lambda _: None).run()

    assert received.getvalue() == new


def test_another_version_in_the_rest_is_not_appended(odd_store, tmp_path):
    """A store that ignores If-Match, and gives the rest of what the object is now."""
    old, new = os.urandom(MANY), os.urandom(MANY)
    odd_store.put("audio", old)
    odd = odd_store.oddities
    odd.if_match, odd.cut_after, odd.cuts = False, 1_000_000, 1
    odd.on_cut = lambda: odd_store.put("audio", new)
    address = open_storage(odd_store.settings()).address("audio", "read", LIFE)

    assert transfer.fetch(address, tmp_path).read_bytes() == new


def test_a_broken_body_is_read_again_only_within_the_limit(odd_store):
    odd_store.put("small", b"x" * 50_000)
    odd = odd_store.oddities
    odd.cut_after, odd.cuts = 10_000, 1_000
    odd.on_cut = lambda: odd_store.put("small", b"x" * 60_000)

    with pytest.raises(TooLargeError):
        open_storage(odd_store.settings()).read("small", 55_000)
