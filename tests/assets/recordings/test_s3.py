"""The same chain on an S3 bucket, with a worker that has signed URLs but no credentials."""

import pytest

from .conftest import House


@pytest.fixture
def s3_house(s3, tmp_path):
    with_house = House(s3.settings, tmp_path)
    yield with_house
    with_house.instance.dispose()


def test_the_chain_works_on_s3_as_on_a_folder(s3_house, clips):
    english = s3_house.put(clips.english, "reunião #2.wav")
    twin = s3_house.put(clips.english, "twin.wav")

    assert s3_house.run([english, twin]).success

    assert "Good morning" in s3_house.text(english)
    assert sorted(row["backend"] for row in s3_house.attempts()) == ["local", "none"]
    before = {one.key: one.etag for one in s3_house.storage.list("work/acme/jobs/")}
    assert s3_house.survey().work == []
    assert s3_house.run([english, twin]).success
    assert {one.key: one.etag for one in s3_house.storage.list("work/acme/jobs/")} == before


def test_no_presigned_url_reaches_the_bucket_or_dagster(s3_house, clips):
    recording = s3_house.put(clips.english, "a.wav")
    result = s3_house.run([recording])

    everything = b"".join(
        s3_house.storage.read(one.key)
        for one in s3_house.storage.list("work/")
        if one.key.endswith((".json", ".jsonl"))
    )
    assert b"X-Amz-Signature" not in everything
    assert "X-Amz-Signature" not in str([str(event) for event in result.all_events])
