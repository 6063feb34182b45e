"""What every store must do, proved on each of them."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from escriba.settings import SettingsError, load_settings
from gpu_job import transfer
from gpu_job.transfer import Put
from resources.storage import open_storage
from resources.storage.base import StorageError, StoredObject, UnusableObject

NAMES = ["a b", "a#2", "a%2Fb", "x…y", "a...b", "😀", "-x", ".h", "a,b", "a!b!c", "é", "é"]


def test_what_is_written_can_be_read_listed_and_deleted(storage):
    etag = storage.write("work/t/one.json", b"1")

    seen = storage.head("work/t/one.json")
    assert (seen.size_bytes, seen.etag) == (1, etag)
    assert storage.read("work/t/one.json") == b"1"
    assert [one.key for one in storage.list("work/")] == ["work/t/one.json"]
    storage.delete("work/t/one.json")
    storage.delete("work/t/one.json")
    assert storage.head("work/t/one.json") is None
    assert storage.read("work/t/one.json") is None


def test_what_is_not_there_is_none_and_an_empty_prefix_is_empty(storage):
    assert storage.read("nothing/here") is None
    assert storage.head("nothing/here") is None
    assert list(storage.list("nothing/")) == []


@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_be_a_key(storage, name):
    key = f"inbox/t/{name}"
    storage.write(key, name.encode())

    assert [one.key for one in storage.list("inbox/")] == [key]
    assert storage.read(key) == name.encode()


def test_a_listing_is_in_the_order_of_keys_and_goes_on_anywhere(storage):
    names = ["a", "a b", "a-", "a/1", "a/2/x", "a/2/y", "a/20", "a0", "b", "é/z", "！", "😀"]
    keys = sorted(f"inbox/{name}.x" for name in names)
    for key in reversed(keys):
        storage.write(key, b"1")

    assert [one.key for one in storage.list("inbox/")] == keys
    for i, key in enumerate(keys):
        assert [one.key for one in storage.list("inbox/", after=key)] == keys[i + 1 :]
    after_no_key = [one.key for one in storage.list("inbox/", after="inbox/a/2/xyz")]
    assert after_no_key == [key for key in keys if key > "inbox/a/2/xyz"]


def test_only_one_of_many_creates_an_object(storage):
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda i: storage.create("claim", b"%d" % i), range(16)))

    assert won.count(True) == 1
    assert storage.read("claim") == b"%d" % won.index(True)


def test_an_overwritten_object_has_another_etag(storage):
    assert storage.write("x", b"one") != storage.write("x", b"two")


def test_a_file_can_be_uploaded_and_read_as_a_file(storage, tmp_path):
    big = bytes(range(256)) * 40_000
    (tmp_path / "big").write_bytes(big)
    etag = storage.upload("work/big", tmp_path / "big")

    assert storage.head("work/big").etag == etag
    with storage.local_copy("work/big", tmp_path) as path:
        assert path.read_bytes() == big
    with pytest.raises(FileNotFoundError), storage.local_copy("work/none", tmp_path):
        pass


def test_an_address_does_one_thing_for_somebody_without_credentials(storage, tmp_path):
    life = timedelta(minutes=5)
    create = storage.address("jobs/a b#2/claim", "create", life)
    beat = storage.address("jobs/a b#2/claim", "write", life)
    read = storage.address("jobs/a b#2/claim", "read", life)

    assert transfer.read(read) is None
    assert transfer.put(create, b"mine") is Put.WRITTEN
    # Azure's 409 may mean more than that it exists: who creates looks (docs/idempotency.md, rule 4)
    assert transfer.put(create, b"yours") in {Put.EXISTS, Put.UNSURE}
    assert transfer.read(read) == b"mine"
    assert transfer.put(beat, b"again") is Put.WRITTEN
    assert storage.read("jobs/a b#2/claim") == b"again"
    assert transfer.fetch(read, tmp_path).read_bytes() == b"again"


def test_a_key_that_nobody_can_parse_hides_no_other(s3):
    store = open_storage(s3.settings)
    store.write("inbox/t/good.mp3", b"1")
    for key in ("inbox/t//empty.mp3", "inbox/t/bell\x07.mp3", "inbox/folder/"):
        s3.client.put_object(Bucket=s3.bucket, Key=f"some/prefix/{key}", Body=b"x")

    keys = [one.key for one in store.list("inbox/")]

    assert keys == ["inbox/t//empty.mp3", "inbox/t/bell\x07.mp3", "inbox/t/good.mp3"]
    assert [one.key for one in store.list("inbox/", after=keys[0])] == keys[1:]


def test_a_folder_lists_names_of_any_bytes_and_what_is_no_file(tmp_path):
    store = open_storage(load_settings(storage_url=tmp_path.as_uri()))
    store.write("inbox/t/good", b"1")
    (tmp_path / "inbox/t/link").symlink_to(tmp_path)
    store.write("inbox/t/\udce3", b"1")

    found = list(store.list("inbox/"))

    assert {one.key for one in found if isinstance(one, StoredObject)} == {
        "inbox/t/good",
        "inbox/t/\udce3",
    }
    assert [one.key for one in found if isinstance(one, UnusableObject)] == ["inbox/t/link"]


def test_no_key_leaves_the_bucket(tmp_path):
    store = open_storage(load_settings(storage_url=(tmp_path / "b").as_uri()))

    with pytest.raises(Exception, match="leads out of the bucket"):
        store.read("work/../../secret")


def test_a_url_of_no_known_kind_names_the_setting():
    with pytest.raises(SettingsError, match="STORAGE_URL"):
        open_storage(load_settings(storage_url="ftp://somewhere/x"))


def test_a_link_never_leads_to_somebody_elses_file(tmp_path):
    store = open_storage(load_settings(storage_url=tmp_path.as_uri()))
    store.write("inbox/bob/secret.wav", b"secret")
    (tmp_path / "inbox/eve").mkdir()
    (tmp_path / "inbox/eve/mine.wav").symlink_to("../bob/secret.wav")
    (tmp_path / "inbox/eve/loop.wav").symlink_to("loop.wav")
    (tmp_path / "inbox/eve/all").symlink_to("../bob")

    found = list(store.list("inbox/eve/"))

    assert [one.key for one in found if isinstance(one, StoredObject)] == []
    assert len(found) == 3
    for key in ("inbox/eve/mine.wav", "inbox/eve/all/secret.wav"):
        with (
            pytest.raises(StorageError, match="behind a link"),
            store.local_copy(key, tmp_path),
        ):
            pass


def test_folders_may_be_nested_as_deeply_as_the_system_allows(tmp_path):
    store = open_storage(load_settings(storage_url=tmp_path.as_uri()))
    deep = tmp_path / "inbox"
    deep.mkdir()
    with_deep = os.open(deep, os.O_RDONLY)
    for _ in range(1500):  # deeper than a path may be long, and than Python recurses
        os.mkdir("d", dir_fd=with_deep)
        inner = os.open("d", os.O_RDONLY, dir_fd=with_deep)
        os.close(with_deep)
        with_deep = inner
    os.close(with_deep)
    store.write("inbox/t/good", b"1")

    keys = [one.key for one in store.list("inbox/") if isinstance(one, StoredObject)]

    assert keys == ["inbox/t/good"]
    subprocess.run(["rm", "-rf", str(deep)], check=True)


def test_a_name_that_is_too_long_is_not_there_and_a_write_says_so(tmp_path):
    store = open_storage(load_settings(storage_url=tmp_path.as_uri()))

    assert store.read("work/" + "x" * 300) is None
    assert store.head("work/" + "x" * 300) is None
    with pytest.raises(StorageError, match="too long"):
        store.write("work/" + "x" * 300, b"")


def test_an_overwrite_whose_time_was_set_back_has_another_etag(tmp_path):
    store = open_storage(load_settings(storage_url=tmp_path.as_uri()))
    store.write("inbox/t/a", b"one")
    before, seen = store.head("inbox/t/a"), (tmp_path / "inbox/t/a").stat()
    while _changed_at(tmp_path / "probe") <= seen.st_ctime_ns:
        pass  # a file system's clock ticks every few ms: two changes within one look alike

    (tmp_path / "inbox/t/a").write_bytes(b"two")
    os.utime(tmp_path / "inbox/t/a", ns=(seen.st_atime_ns, seen.st_mtime_ns))

    assert store.head("inbox/t/a").etag != before.etag


def _changed_at(probe):
    probe.write_bytes(b"")
    return probe.stat().st_ctime_ns


def test_a_bucket_that_cannot_be_written_to_says_so_and_leaves_no_draft(tmp_path, monkeypatch):
    store = open_storage(load_settings(storage_url=tmp_path.as_uri()))

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(StorageError, match="No space left"):
        store.write("work/x", b"data")
    assert list((tmp_path / ".drafts").iterdir()) == []
