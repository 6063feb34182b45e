"""What a store says is kept, and comes with what to do about it; never a secret."""

from datetime import timedelta

import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from escriba.settings import SettingsError, load_settings
from resources.storage import open_storage, s3
from resources.storage.base import NoConditionalWritesError, StorageError
from resources.storage.create_once import prove_create_once
from tests.resources.storage.faulty_s3 import faulty_s3
from tests.resources.storage.microsoft import certificates

MALFORMED = "<Region>eu-west-1</Region>"
ELSEWHERE = "<Endpoint>b.s3.eu-central-1.amazonaws.com</Endpoint>"
# status, code, message, more of the document, and what the sentence must say
ANSWERS = [
    (403, "RequestTimeTooSkewed", "The difference is too large", "", "set the clock"),
    (403, "InvalidObjectState", "Not valid for the storage class", "", "restore it"),
    (400, "InvalidRequest", "Content-MD5 HTTP header is required", "", "object lock"),
    (400, "SecondLevelDomainForbidden", "Use the third level", "", "AWS_VIRTUAL_HOSTS=true"),
    (400, "AuthorizationHeaderMalformed", "expecting", MALFORMED, "set AWS_REGION=eu-west-1"),
    (400, "PermanentRedirect", "Use the endpoint", ELSEWHERE, "set AWS_REGION=eu-central-1"),
    (301, "", "", "", "check AWS_REGION"),
    (400, "ExpiredToken", "The provided token has expired.", "", "have expired; renew AWS_"),
    (403, "AccessDenied", "Access Denied", "", "need permission to list, read and write"),
    (404, "NoSuchBucket", "It does not exist", "", "there is no such bucket; check STORAGE_URL"),
    (403, "QuotaExceeded", "Full", "", "raise the quota"),
    (418, "Teapot", "Short and stout", "", "check STORAGE_URL and AWS_ENDPOINT_URL"),
    (503, "SlowDown", "Please reduce your rate", "", "overloaded or out of order (HTTP 503)"),
    (500, "InternalError", "We did it", "", "overloaded or out of order (HTTP 500)"),
    (501, "NotImplemented", "A header is not implemented", "", "does not implement this request"),
]


@pytest.fixture
def odd_store():
    with faulty_s3() as store:
        yield store


def test_each_answer_is_kept_and_explained(odd_store):
    store = without_tries(odd_store.url)
    for status, code, message, more, told in ANSWERS:
        text = f"<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>"
        odd_store.oddities.answer = (status, text if code else "", {})
        with pytest.raises((BaseError, FileNotFoundError)) as error:
            obstore.get(store, "k").bytes()

        sentence = s3.FAULTS.reason(error.value)

        assert told in sentence, (code, sentence)
        assert (f"(the store said {code}: {message.rstrip('.')})" in sentence) == bool(code)
        assert "AKIA" not in sentence
        assert len(sentence) < 330


def without_tries(url):
    return S3Store(
        "bucket",
        endpoint=url,
        access_key_id="AKIASECRET",
        secret_access_key="secret",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=9)},
    )


def test_a_message_is_one_clean_line_without_addresses_and_signatures(odd_store):
    signed = "see http://host/k?X-Amz-Signature=abc &amp; token=abc"
    message = f"{signed} \x1b[31m\u202e{'long ' * 99}\nSecond line"
    text = f"<Error><Code>Odd</Code><Message>{message}</Message></Error>"
    odd_store.oddities.answer = (400, text, {})

    with pytest.raises(StorageError) as told:
        open_storage(odd_store.settings()).read("k")

    sentence = str(told.value)
    assert "Odd: see … & … " in sentence
    assert not {"\x1b", "\u202e", "\n"} & set(sentence)
    assert "abc" not in sentence
    assert "Second" not in sentence


def test_a_create_that_the_store_does_not_know_is_told_apart(odd_store):
    odd_store.oddities.answer = (400, "<Code>NotImplemented</Code><Message>no</Message>", {})

    with pytest.raises(NoConditionalWritesError, match="NotImplemented: no"):
        open_storage(odd_store.settings()).create("k", b"1")


def test_the_buckets_name_stands_in_the_host_if_the_store_wants_it():
    settings = load_settings(
        storage_url="s3://bucket/some/prefix",
        aws_endpoint_url="https://oss.example.com:8443",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        aws_virtual_hosts=True,
    )

    url = open_storage(settings).address("k", "read", timedelta(minutes=1)).url

    assert url.startswith("https://bucket.oss.example.com:8443/some/prefix/k?")


def test_a_store_with_a_certificate_of_ones_own_authority_is_trusted(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "")  # is put back
    authority, certificate, key = certificates(tmp_path)
    with faulty_s3(certificate, key) as store:
        with pytest.raises(BaseError) as told:
            obstore.get(without_tries(store.url), "k")
        storage = open_storage(store.settings(storage_ca_file=authority))
        ways = prove_create_once(storage, rounds=1)  # a worker's way too

    assert "set STORAGE_CA_FILE" in s3.FAULTS.reason(told.value)
    assert [way.fault for way in ways] == ["", ""]


@pytest.mark.parametrize(("content", "told"), [(None, "cannot read"), (b"x", "no certificates")])
def test_a_file_of_certificates_that_is_none_is_told_of(tmp_path, content, told):
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    settings = load_settings(
        storage_url="s3://bucket",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        storage_ca_file=tmp_path / "ca.pem",
    )

    with pytest.raises(SettingsError, match=f"STORAGE_CA_FILE: .*{told}"):
        open_storage(settings)
