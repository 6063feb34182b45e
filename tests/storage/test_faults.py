"""Stores that cannot be used: a sentence with what to check, and never a secret."""

import os
import time

import pytest

from assets.inbox import survey
from pipelines.settings import SettingsError, load_settings
from resources.storage import open_storage
from resources.storage.base import Oddity, StorageError

SECRET = "verysecretkey"


def s3_settings(endpoint, bucket="nobody-has-this", **changes):
    return load_settings(
        **{
            "storage_url": f"s3://{bucket}/prefix",
            "aws_endpoint_url": endpoint,
            "aws_access_key_id": "AKIASECRET",
            "aws_secret_access_key": SECRET,
        }
        | changes
    )


@pytest.mark.parametrize(
    "use",
    [
        lambda store: list(store.list("inbox/")),
        lambda store: store.read("work/x"),
        lambda store: store.write("work/x", b"1"),
        lambda store: store.create("work/x", b"1"),
    ],
    ids=["list", "read", "write", "create"],
)
def test_a_bucket_that_is_not_there_is_a_sentence(s3_server, use):
    with pytest.raises(StorageError, match="no such bucket; check STORAGE_URL") as told:
        use(open_storage(s3_settings(s3_server)))

    assert SECRET not in str(told.value)
    assert len(str(told.value)) < 200


def test_a_file_for_a_bucket_that_is_not_there_is_a_sentence(s3_server, tmp_path):
    (tmp_path / "file").write_bytes(b"1")

    with pytest.raises(StorageError, match="no such bucket"):
        open_storage(s3_settings(s3_server)).upload("work/x", tmp_path / "file")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("/tmp/x", "file:///tmp/x"),
        ("s3://", "names no bucket"),
        ("ftp://somewhere", "ftp:// is not supported"),
        ("file://server/folder", "three slashes"),
        (f"s3://key:{SECRET}@bucket", "no credentials in it"),
    ],
)
def test_a_wrong_url_says_how_it_is_written(url, told):
    with pytest.raises(SettingsError, match="STORAGE_URL") as error:
        open_storage(load_settings(storage_url=url))

    assert told in str(error.value)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("url", ["127.0.0.1:9000", f"http://user:{SECRET}@127.0.0.1:9000"])
def test_a_wrong_endpoint_is_named_and_shows_no_secret(url):
    with pytest.raises(SettingsError, match="AWS_ENDPOINT_URL") as error:
        s3_settings(url)

    assert SECRET not in str(error.value)


def test_credentials_may_come_from_a_profile(s3, s3_server, monkeypatch, tmp_path):
    (tmp_path / "credentials").write_text(
        "[default]\naws_access_key_id = key\naws_secret_access_key = secret\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    settings = s3_settings(s3_server, s3.bucket, aws_access_key_id="", aws_secret_access_key="")

    storage = open_storage(settings)
    storage.write("work/x", b"1")

    assert storage.read("work/x") == b"1"


def test_no_credentials_at_all_are_told_of_before_any_request(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(SettingsError, match="AWS_ACCESS_KEY_ID"):
        open_storage(s3_settings("", aws_access_key_id="", aws_secret_access_key=""))


def test_a_file_where_the_bucket_or_the_inbox_should_be_is_no_empty_inbox(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "inbox").write_bytes(b"")

    for root in (tmp_path / "file", tmp_path / "bucket"):
        with pytest.raises(StorageError, match="is no folder"):
            survey(open_storage(load_settings(storage_url=root.as_uri())))


def test_a_folder_that_may_not_be_read_says_whose_right_is_missing(tmp_path, monkeypatch):
    store = open_storage(load_settings(storage_url=tmp_path.as_uri()))
    store.write("inbox/acme/a", b"1")
    monkeypatch.setattr(os, "scandir", _refuse)

    [odd] = [one for one in store.list("inbox/") if isinstance(one, Oddity)]

    assert "Permission denied" in odd.reason
    assert "right to read it" in odd.advice


def _refuse(_folder):
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("kind", ["file", "s3"])
def test_what_killed_processes_left_is_swept_after_a_day(kind, tmp_path, monkeypatch, request):
    if kind == "s3":
        monkeypatch.setattr("resources.storage.s3.gettempdir", lambda: str(tmp_path))
        store = open_storage(request.getfixturevalue("s3").settings)
    else:
        store = open_storage(load_settings(storage_url=(tmp_path / "b").as_uri()))
    folder = store.scratch()
    for name in ("old", "new"):
        (folder / f"{name}-folder").mkdir()
        (folder / f"{name}-folder" / "audio.flac").write_bytes(b"1")
        (folder / f"{name}-file").write_bytes(b"1")
    for name in ("old-folder", "old-file"):
        os.utime(folder / name, (time.time() - 90_000,) * 2)

    store.scratch()

    assert {path.name for path in folder.iterdir()} == {"new-folder", "new-file"}
