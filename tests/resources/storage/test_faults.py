"""Stores that cannot be used: a sentence with what to check, and never a secret."""

import os
import time
from base64 import b64encode

import pytest
from pydantic import SecretStr

from escriba.settings import SettingsError, load_settings
from resources.storage import open_storage
from resources.storage.base import StorageError, UnusableObject

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


ENDPOINTS = {"s3": "aws_endpoint_url", "gs": "gcs_endpoint_url", "az": "azure_endpoint_url"}
USES = {
    "list": lambda store: list(store.list("inbox/")),
    "read": lambda store: store.read("work/x"),
    "write": lambda store: store.write("work/x", b"1"),
    "create": lambda store: store.create("work/x", b"1"),
}


def changed(settings, **changes):
    return open_storage(settings.model_copy(update=changes))


def scheme_of(settings):
    return settings.storage_url.partition(":")[0]


@pytest.mark.parametrize("use", USES)
def test_a_bucket_that_is_not_there_is_a_sentence(cloud, use):
    store = changed(cloud, storage_url=f"{scheme_of(cloud)}://nobody-has-this/prefix")

    with pytest.raises(StorageError, match="no such bucket; check STORAGE_URL") as told:
        USES[use](store)

    assert len(str(told.value)) < 200


def test_a_file_for_a_bucket_that_is_not_there_is_a_sentence(cloud, tmp_path):
    (tmp_path / "file").write_bytes(b"1")
    store = changed(cloud, storage_url=f"{scheme_of(cloud)}://nobody-has-this/prefix")

    with pytest.raises(StorageError, match="no such bucket"):
        store.upload("work/x", tmp_path / "file")


def test_a_store_that_nobody_answers_for_names_its_setting(cloud, free_port):
    name = ENDPOINTS[scheme_of(cloud)]
    store = changed(cloud, **{name: f"http://127.0.0.1:{free_port()}/devstoreaccount1"})

    with pytest.raises(StorageError, match=f"cannot be reached; check .*{name.upper()}"):
        store.read("work/x")


@pytest.mark.parametrize("use", USES)
def test_a_key_that_google_does_not_know_is_a_sentence(gcs, use, stranger_file):
    store = changed(gcs.settings, google_application_credentials=str(stranger_file))

    with pytest.raises(StorageError, match="credentials were refused; check GOOGLE_APPLICATION"):
        USES[use](store)


@pytest.mark.parametrize("use", USES)
def test_a_key_that_azure_does_not_know_is_a_sentence(azure, use):
    secret = b64encode(SECRET.encode()).decode()
    store = changed(azure.settings, azure_storage_key=SecretStr(secret))

    with pytest.raises(StorageError, match="credentials were refused; check AZURE") as told:
        USES[use](store)

    assert secret not in str(told.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("/tmp/x", "file:///tmp/x"),
        ("s3://", "does not name a bucket. Write s3://bucket/prefix, or set S3_BUCKET"),
        ("gs://", "or set GCS_BUCKET"),
        ("az://", "or set AZURE_CONTAINER"),
        ("ftp://somewhere", "ftp:// is not supported"),
        ("file://server/folder", "three slashes"),
        (
            f"s3://key:{SECRET}@bucket",
            "remove the credentials from the URL and set AWS_ACCESS_KEY_ID",
        ),
        (
            f"az://key:{SECRET}@bucket",
            "remove the credentials from the URL and set AZURE_STORAGE_ACCOUNT",
        ),
    ],
)
def test_a_wrong_url_says_how_it_is_written(url, told):
    with pytest.raises(SettingsError, match="STORAGE_URL") as error:
        open_storage(load_settings(storage_url=url))

    assert told in str(error.value)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("url", ["127.0.0.1:9000", f"http://user:{SECRET}@127.0.0.1:9000"])
@pytest.mark.parametrize("name", ENDPOINTS.values())
def test_a_wrong_endpoint_is_named_and_shows_no_secret(name, url):
    with pytest.raises(SettingsError, match=name.upper()) as error:
        load_settings(**{name: url})

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


@pytest.mark.parametrize("backend", ["s3", "gcs", "azure"])
def test_a_bucket_may_be_named_by_the_settings_of_its_cloud(backend, request):
    given = request.getfixturevalue(backend).settings
    name = {"s3": "s3_bucket", "gcs": "gcs_bucket", "azure": "azure_container"}[backend]
    bucket = given.storage_url.split("/")[2]

    store = changed(given, storage_url="", storage_backend=backend, **{name: bucket})

    assert store.url == f"{scheme_of(given)}://{bucket}"
    assert store.create("work/x", b"1")


def test_a_file_where_the_bucket_or_the_inbox_should_be_is_no_empty_inbox(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "inbox").write_bytes(b"")

    for root in (tmp_path / "file", tmp_path / "bucket"):
        with pytest.raises(StorageError, match="is not a folder"):
            list(open_storage(load_settings(storage_url=root.as_uri())).list("inbox/"))


def test_a_folder_that_may_not_be_read_says_whose_right_is_missing(tmp_path, monkeypatch):
    store = open_storage(load_settings(storage_url=tmp_path.as_uri()))
    store.write("inbox/acme/a", b"1")
    monkeypatch.setattr(os, "scandir", _refuse)

    [odd] = [one for one in store.list("inbox/") if isinstance(one, UnusableObject)]

    assert "Permission denied" in odd.reason
    assert "permission to read it" in odd.advice


def _refuse(_folder):
    raise PermissionError(13, "Permission denied")


def test_what_killed_processes_left_is_swept_after_a_day(storage, tmp_path, monkeypatch):
    monkeypatch.setattr("resources.storage.objects.gettempdir", lambda: str(tmp_path))
    folder = storage.scratch()
    for name in ("old", "new"):
        (folder / f"{name}-folder").mkdir()
        (folder / f"{name}-folder" / "audio.flac").write_bytes(b"1")
        (folder / f"{name}-file").write_bytes(b"1")
    for name in ("old-folder", "old-file"):
        os.utime(folder / name, (time.time() - 90_000,) * 2)

    storage.scratch()

    assert {path.name for path in folder.iterdir()} == {"new-folder", "new-file"}
