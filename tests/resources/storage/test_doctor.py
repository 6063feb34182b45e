"""What `escriba doctor` finds out about each store."""

from pydantic import SecretStr

from cli.checks.bucket_check import bucket
from escriba.settings import load_settings


def test_each_store_is_read_and_lets_one_of_several_create(cloud):
    found = list(bucket(cloud))

    assert [one.state for one in found] == ["well"] * 4
    assert found[1].found == "several clients cannot create the same object by the storage library"
    assert found[2].found == "several clients cannot create the same object through a signed URL"
    assert found[3].found == "signed URLs for workers are valid for at most 168.0 h"


def test_a_store_without_conditional_writes_is_told_of(strict_s3_server):
    settings = load_settings(
        storage_url="s3://bucket/doctor",
        aws_endpoint_url=strict_s3_server,
        aws_access_key_id="key",
        aws_secret_access_key="the-secret",
    )

    by_hand, signed = list(bucket(settings))[1:3]

    assert (by_hand.state, signed.state) == ("broken", "broken")
    assert "paid for twice" in signed.advice


def test_addresses_that_live_for_less_than_a_day_are_odd(s3):
    settings = s3.settings.model_copy(update={"aws_session_token": SecretStr("token")})

    life = list(bucket(settings))[-1]

    assert life.state == "odd"
    assert life.found == "signed URLs for workers are valid for at most 1.0 h"
    assert "QUEUE_LIMIT_SECONDS" in life.advice


def test_a_folder_needs_no_life(tmp_path):
    found = list(bucket(load_settings(storage_url=tmp_path.as_uri())))

    assert [one.state for one in found] == ["well"] * 2
