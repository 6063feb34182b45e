"""What is kept of a download that broke off: the next run goes on with it, and it has an end."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from resources.storage import open_storage, partial_file
from resources.storage.base import StorageError
from resources.storage.link_patience import PART_BYTES
from resources.storage.partial_file import Begun, drop_oldest
from tests.resources.storage.faulty_s3 import faulty_s3


@pytest.fixture
def odd_store():
    with faulty_s3() as store:
        yield store


@pytest.fixture
def broken_off(odd_store, tmp_path):
    """Begins a large download that a dead store ends; returns its data."""

    def begin(data=None, etag='"{}"'):
        data = data or os.urandom(2 * PART_BYTES)
        odd_store.put("big", data)
        odd = odd_store.oddities
        odd.etag_elsewhere, odd.cut_after, odd.cuts = etag, PART_BYTES, 1
        odd.on_cut = lambda: setattr(odd, "answer", (403, "", {}))
        with (
            pytest.raises(StorageError),
            open_storage(odd_store.settings()).local_copy("big", tmp_path),
        ):
            pass
        odd.answer, odd.on_cut = None, lambda: None
        odd_store.requests.clear()
        return data

    return begin


def copied(odd_store, folder):
    """What another run gets, and the first bytes that it asked for."""
    with open_storage(odd_store.settings()).local_copy("big", folder) as path:
        body = path.read_bytes()
    wanted = [headers.get("range", "bytes=0-") for _, _, headers in odd_store.requests]
    return body, [int(one.removeprefix("bytes=").partition("-")[0]) for one in wanted]


def test_the_next_run_goes_on_where_a_download_broke_off(odd_store, tmp_path, broken_off):
    data = broken_off()

    body, [start] = copied(odd_store, tmp_path)
    assert body == data
    assert 0 <= PART_BYTES - start < 200_000  # all but the last chunk of what had arrived
    assert list(tmp_path.iterdir()) == []

    odd_store.requests.clear()
    assert copied(odd_store, tmp_path) == (data, [0])


def test_the_rest_of_another_version_is_not_joined_to_a_part(odd_store, tmp_path, broken_off):
    broken_off()
    new = os.urandom(2 * PART_BYTES)
    odd_store.put("big", new)
    assert copied(odd_store, tmp_path)[0] == new

    odd_store.oddities.if_match = False
    broken_off()
    odd_store.put("big", new)
    assert copied(odd_store, tmp_path)[0] == new


@pytest.mark.parametrize("if_match", [True, False])
def test_a_version_that_ends_before_the_part_is_read_from_its_start(
    odd_store, tmp_path, broken_off, if_match
):
    broken_off()
    odd_store.oddities.if_match = if_match
    odd_store.put("big", b"short")

    assert copied(odd_store, tmp_path)[0] == b"short"
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_kept_of_an_object_that_is_deleted(odd_store, tmp_path, broken_off):
    broken_off()
    odd_store.objects.clear()
    with pytest.raises(FileNotFoundError):
        copied(odd_store, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_kept_leaves_a_small_disk_room(odd_store, tmp_path, broken_off, monkeypatch):
    """As the 2 GB in memory that deploy/compose gives each container."""
    small = shutil.disk_usage(tmp_path)._replace(total=9 * PART_BYTES)
    monkeypatch.setattr(partial_file.shutil, "disk_usage", lambda _: small)
    broken_off()
    with pytest.raises(KeyError), partial_file.partial_file(tmp_path, "another"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_on_a_full_disk_nothing_is_kept(odd_store, tmp_path, broken_off):
    broken_off()
    with suppress(OSError), partial_file.partial_file(tmp_path, "another") as another:
        another.note_begin(Begun(2 * PART_BYTES, '"etag"'))
        Path("/dev/full").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("etag", ['W/"{}"', ""])
def test_without_a_strong_etag_nothing_is_kept(odd_store, tmp_path, broken_off, etag):
    data = broken_off(etag=etag)
    assert list(tmp_path.iterdir()) == []
    assert copied(odd_store, tmp_path) == (data, [0])


def test_what_is_kept_has_an_end(odd_store, tmp_path, broken_off, monkeypatch):
    broken_off()
    assert len(list(tmp_path.iterdir())) == 2  # the part and its note
    drop_oldest(tmp_path, 1)
    assert list(tmp_path.iterdir()) == []

    data = broken_off()
    monkeypatch.setattr(partial_file, "_boot", lambda: "another start of the machine")
    assert copied(odd_store, tmp_path) == (data, [0])


def test_two_runs_never_write_one_part(odd_store, tmp_path, broken_off):
    data = broken_off()
    storage = open_storage(odd_store.settings())
    with partial_file.partial_file(tmp_path, f"{storage.url}/big"):
        assert copied(odd_store, tmp_path) == (data, [0])
