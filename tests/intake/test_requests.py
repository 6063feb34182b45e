"""What is in requests/ costs only itself, and what is paid for is never to be deleted."""

import gzip

import pytest

from escriba.recordings import from_partition_key
from escriba.settings import load_settings
from intake.refused_requests import aside_of, move_aside
from intake.work_requests import look_at_requests, new_request, submit_request
from resources.gpu.job_folder import JobFolder
from resources.storage import open_storage
from resources.storage.read_documents import DamagedError


def test_a_request_loses_only_its_bad_keys_and_a_long_name_is_moved(tmp_path):
    storage = open_storage(load_settings(storage_url=tmp_path.as_uri()))
    made = new_request("backfill", [from_partition_key(f"acme/{i}.wav") for i in range(3)])
    keys = (made.keys[0], "acme/%FF", made.keys[1], "a\tb/c", made.keys[2])
    submit_request(storage, made.model_copy(update={"keys": keys}))
    storage.write(f"requests/{'z' * 240}.json", b"?")

    [request, partly, bad] = look_at_requests(storage)
    told = [move_aside(storage, one) for one in (partly, bad)]

    assert request == made
    assert "'acme/%FF' and 1 more" in told[0].sentence
    assert "other keys are processed" in told[0].advice
    assert move_aside(storage, partly) is None
    assert storage.head(made.key) is not None
    assert storage.read(aside_of(bad.key)) == b"?"
    assert storage.head(bad.key) is None


def test_a_request_may_be_larger_when_it_is_unpacked(tmp_path):
    storage = open_storage(load_settings(storage_url=tmp_path.as_uri()))
    made = new_request("backfill", [from_partition_key("acme/a.wav")])
    body = made.model_dump_json().encode() + b" " * (65 << 20)
    storage.write(made.key, gzip.compress(body, 1))

    assert list(look_at_requests(storage)) == [made]


def test_a_result_that_is_only_too_large_is_kept(tmp_path):
    storage = open_storage(load_settings(storage_url=tmp_path.as_uri()))
    folder = JobFolder(storage, "acme", "job")
    storage.write(folder.key("result.json"), b" " * (129 << 20))

    with pytest.raises(DamagedError, match="larger than 128 MiB") as told:
        folder.result()

    assert "Keep" in told.value.mend
    assert "elete" not in told.value.mend
