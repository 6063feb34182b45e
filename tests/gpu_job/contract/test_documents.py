"""Whatever somebody put in place of a document is named in a few words, within limits of memory."""

import gzip
import json
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta

import pytest

from gpu_job.contract import JobResult, Lease, Manifest
from gpu_job.contract.documents import (
    LARGE,
    MEBIBYTE,
    SMALL,
    DamagedDocumentError,
    read_document,
)

NOW = datetime(2026, 12, 1, tzinfo=UTC)
PLACE = {"boot_id": "b", "pid_namespace": "n", "pid": 1, "started": "s"}
USAGE = {"worker": "w", "place": PLACE, "started_at": NOW.isoformat(), "ended_at": NOW.isoformat()}
WORD = {"start_ms": 0, "end_ms": 500, "text": "Hello", "probability": 0.9}
RESULT = {
    "version": 1,
    "job": "a" * 64,
    "attempt": 1,
    "nonce": "n",
    "language": "en",
    "language_probability": 0.9,
    "model_revision": "r",
    "segments": [{"start_ms": 0, "end_ms": 500, "words": [WORD]}],
    "turns": [],
    "usage": USAGE,
}
GOOD = json.dumps(RESULT).encode()


def of(**more):
    return json.dumps(RESULT | more).encode()


def word(**more):
    return of(segments=[{"start_ms": 0, "end_ms": 500, "words": [WORD | more]}])


def usage(**more):
    return of(usage=USAGE | more)


def raw(field, text):
    """The document with a value that no writer of JSON would write."""
    return of(**{field: "HERE"}).replace(b'"HERE"', text)


DAMAGE = {
    "nothing": (b"", "is empty"),
    "blanks": (b" \n ", "is empty"),
    "zeros": (b"\0" * 100, "is not JSON"),
    "cut": (GOOD[:-20], "ends too early"),
    "more after the end": (GOOD + b"}", "is not JSON"),
    "two of them": (GOOD + GOOD, "is not JSON"),
    "a page of a proxy": (b"<html>403</html>", "is not JSON"),
    "not UTF-8": (GOOD.replace(b"Hello", b"H\xe9llo"), "is not UTF-8"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "is not"),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, "byte order mark"),
    "half a character": (GOOD.replace(b"Hello", b"\\ud800"), "is not JSON"),
    "a list": (b"[" + GOOD + b"]", "is not a JSON object"),
    "a string": (b'"result"', "is not a JSON object"),
    "null": (b"null", "is not a JSON object"),
    "no fields": (b"{}", "has wrong fields"),
    "a field missing": (GOOD.replace(b'"nonce"', b'"once"'), "has wrong fields (nonce"),
    "null as a value": (of(language=None), "has wrong fields (language"),
    "an object as a text": (of(language={}), "has wrong fields (language"),
    "a text as words": (of(segments="none"), "has wrong fields (segments"),
    "a later version": (of(version=2), "update it"),
    "a version that never was": (of(version=0), "never was"),
    "an attempt that is none": (of(attempt="first"), "has wrong fields (attempt"),
    "NaN": (raw("language_probability", b"NaN"), "has NaN in place of a number"),
    "infinity": (raw("language_probability", b"-Infinity"), "has -Infinity in place of a number"),
    "1e308": (raw("language_probability", b"1e308"), "impossibly large number"),
    "1e30": (raw("attempt", b"1e30"), "has"),
    "beyond any number": (raw("language_probability", b"1e999"), "impossibly large number"),
    "a whole number of 5,000 digits": (raw("attempt", b"9" * 5_000), "is not JSON"),
    "NaN in an unknown field": (raw("later", b"NaN"), "has NaN"),
    "a negative time": (word(start_ms=-1), "has wrong fields"),
    "a time after the end of the world": (word(end_ms=10**14), "impossible time"),
    "half a millisecond": (word(end_ms=0.5), "has wrong fields"),
    "a probability of 7": (word(probability=7), "probability outside"),
    "a word of a book": (word(text="a" * 20_000), "impossibly long word"),
    "a key twice": (b'{"job": "b",' + GOOD[1:], "has a key twice"),
    "depth of 10,000": (raw("later", b"[" * 10_000 + b"]" * 10_000), "nested too deeply"),
    "depth of 10,000 objects": (raw("later", b'{"a":' * 10_000 + b"1" + b"}" * 10_000), "deeply"),
    "an end before its start": (
        usage(ended_at=(NOW - timedelta(hours=1)).isoformat()),
        "negative or impossibly long",
    ),
    "a work of years": (
        usage(ended_at=(NOW + timedelta(days=4_000)).isoformat()),
        "negative or impossibly long",
    ),
    "negative seconds": (usage(timings={"load_seconds": -5}), "negative or impossibly long"),
    "a date that is none": (usage(ended_at="2026-13-45"), "has wrong fields"),
    "gzip, cut": (gzip.compress(GOOD)[:-12], "its end is missing"),
    "gzip, one bit flipped": (
        (packed := bytearray(gzip.compress(GOOD)))[:30] + bytes([packed[30] ^ 4]) + packed[31:],
        "is compressed, and",
    ),
    "gzip, wrong checksum": (gzip.compress(GOOD)[:-8] + b"\0" * 8, "is compressed, and damaged"),
    "gzip, something behind it": (gzip.compress(GOOD) + b"more", "something follows its end"),
    "gzip in gzip": (gzip.compress(gzip.compress(GOOD)), "is not UTF-8"),
    "gzip of nothing": (gzip.compress(b""), "is empty"),
    "the beginning of gzip": (b"\x1f\x8b", "its end is missing"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_each_kind_of_damage_is_named_and_shows_no_content(kind):
    body, told = DAMAGE[kind]

    with pytest.raises(DamagedDocumentError) as caught:
        read_document(bytes(body), JobResult)

    assert told in str(caught.value)
    assert "Hello" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_what_is_whole_is_read_plain_and_compressed():
    times_go_back = of(
        segments=[
            {"start_ms": 900, "end_ms": 950, "words": []},
            {"start_ms": 0, "end_ms": 500, "words": [WORD | {"text": "NaN: [1e400"}]},
        ]
    )
    for body in (GOOD, gzip.compress(GOOD), of(later=[1, 0.1234567890123456789, -5e-300])):
        assert read_document(body, JobResult).segments[0].words[0].text == "Hello"
    assert len(read_document(times_go_back, JobResult).segments) == 2


def bomb(start=b"", block=b"0" * MEBIBYTE, times=1_500):
    """The beginning of a compressed object: one block, compressed once and repeated."""
    squeezer = zlib.compressobj(6, zlib.DEFLATED, 31)
    head = squeezer.compress(start) + squeezer.flush(zlib.Z_FULL_FLUSH)
    return head + (squeezer.compress(block) + squeezer.flush(zlib.Z_FULL_FLUSH)) * times


@pytest.mark.parametrize(
    ("make", "limits", "told"),
    [
        (bomb, LARGE, "is larger than 64 MiB when unpacked"),
        (lambda: b'{"nonce": "' + b"a" * 50 * MEBIBYTE + b'"}', SMALL, "is larger than 1 MiB"),
    ],
    ids=["gzip bomb of 1.5 GB", "string of 50 MB"],
)
def test_what_is_too_large_is_refused_before_it_takes_memory(make, limits, told):
    body = make()
    tracemalloc.start()

    with pytest.raises(DamagedDocumentError, match=told):
        read_document(body, Lease, limits)

    assert tracemalloc.get_traced_memory()[1] < 3 * limits.plain_bytes
    tracemalloc.stop()


def test_millions_of_words_are_refused_by_their_bytes():
    words = (json.dumps(WORD) + ",").encode() * 10_000

    with pytest.raises(DamagedDocumentError, match="is larger than 64 MiB when unpacked"):
        read_document(bomb(b'{"segments": [{"words": [', words, 300), JobResult, LARGE)


def test_a_manifest_of_a_later_version_says_what_to_do():
    with pytest.raises(DamagedDocumentError, match="update it"):
        read_document(b'{"version": 2, "requests": []}', Manifest)
