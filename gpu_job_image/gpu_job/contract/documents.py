"""Reads a JSON document that others may have written: a bucket is shared, and objects get damaged.

One reader with limits for all of them, in the orchestrator and in the worker: on bytes before and
after unpacking, depth, numbers, repeated keys, and the version of the contract. What it refuses, it
names in a few words; it never shows the content, which may be what people said.
"""

import json
import re
import zlib
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from .lease import Usage
from .packing import PLAIN_BYTES
from .parts import CONTRACT_VERSION
from .result import JobResult

MEBIBYTE: Final = 1 << 20
_GZIP, _BOM = b"\x1f\x8b", b"\xef\xbb\xbf"
_GZIP_WINDOW: Final = 31  # zlib's code for: with the header and the checksum of gzip
_CHUNK_BYTES: Final = MEBIBYTE
_DIGITS: Final = 15  # of an integer: a thousand terabytes, thirty thousand years in milliseconds
_LARGEST: Final = 10.0**_DIGITS
# a number that may be impossible; also matches inside of texts, so a hit is looked at again
_DOUBTFUL: Final = re.compile(
    rb"[:\[,]\s*-?(?:NaN|Infinity|\d{16}|\d+(?:\.\d+)?[eE]\+?(?:\d{3}|[2-9]\d|1[5-9]))"
)
_LATEST_MS: Final = 400 * 86_400_000  # of a recording
_LONGEST_SECONDS: Final = 400.0 * 86_400
_LONGEST_WORD: Final = 10_000  # characters; a language without spaces may give whole sentences
_ROUNDING: Final = 0.01
_MOST_PLACES: Final = 3  # wrong fields that a message names


class DamagedDocumentError(ValueError):
    """A document cannot be used. Its text completes the sentence 'The document …'."""


class LargeDocumentError(DamagedDocumentError):
    """A document has more bytes than its limits; it need not be damaged."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """The most bytes of a document, as stored and after unpacking."""

    stored_bytes: int
    plain_bytes: int


SMALL: Final = DocumentLimits(MEBIBYTE, MEBIBYTE)
# the speech regions of a day take 2 MB for each channel
MEDIUM: Final = DocumentLimits(32 * MEBIBYTE, 32 * MEBIBYTE)
# the words of eight hours are 9 MB
LARGE: Final = DocumentLimits(64 * MEBIBYTE, 64 * MEBIBYTE)
# of one machine: forty jobs of a day each
MANIFESTS: Final = DocumentLimits(64 * MEBIBYTE, 512 * MEBIBYTE)
# of words, paid for: several tracks of a day each, or a word for each character
RESULTS: Final = DocumentLimits(128 * MEBIBYTE, 1024 * MEBIBYTE)

Document = TypeVar("Document", bound=BaseModel)


def read_document(body: bytes, kind: type[Document], limits: DocumentLimits = SMALL) -> Document:
    """The document in an object's bytes, compressed or plain.

    Raises:
        DamagedDocumentError: says what is wrong with it.
    """
    text = plain_document(body, limits)
    try:
        document = kind.model_validate_json(text)
    except ValidationError as error:
        raise DamagedDocumentError(_told(error, text)) from None
    _check_text(text)
    _check_version(document)
    if isinstance(usage := getattr(document, "usage", None), Usage):
        _check_usage(usage)
    if isinstance(document, JobResult):
        _check_words(document)
    return document


def plain_document(body: bytes, limits: DocumentLimits) -> bytes:
    """The bytes of a document after unpacking; stops as soon as they are too many.

    Raises:
        DamagedDocumentError: it is empty, too large, not UTF-8, or its compression is damaged.
    """
    if len(body) > limits.stored_bytes:
        raise LargeDocumentError(f"is larger than {_size(limits.stored_bytes)}")
    text = _unzipped(body, limits.plain_bytes) if body.startswith(_GZIP) else body
    if len(text) > limits.plain_bytes:
        raise LargeDocumentError(f"is larger than {_size(limits.plain_bytes)}")
    if not text or text.isspace():
        raise DamagedDocumentError("is empty")
    if text.startswith(_BOM):
        raise DamagedDocumentError("begins with a byte order mark: save it as UTF-8 without one")
    if len(text) <= PLAIN_BYTES:  # the parser checks the strings of a larger one
        try:
            text.decode()
        except UnicodeDecodeError:
            raise DamagedDocumentError("is not UTF-8 text") from None
    return text


def _unzipped(body: bytes, limit_bytes: int) -> bytes:
    unpacker, plain, rest = zlib.decompressobj(_GZIP_WINDOW), bytearray(), body
    try:
        while rest and not unpacker.eof:
            plain += unpacker.decompress(rest, _CHUNK_BYTES)
            rest = unpacker.unconsumed_tail
            if len(plain) > limit_bytes:
                raise LargeDocumentError(f"is larger than {_size(limit_bytes)} when unpacked")
        plain += unpacker.flush()
    except zlib.error:
        raise DamagedDocumentError("is compressed, and damaged") from None
    if not unpacker.eof:
        raise DamagedDocumentError("is compressed, and its end is missing")
    if unpacker.unused_data:
        raise DamagedDocumentError("is compressed, and something follows its end")
    return bytes(plain)


def _told(error: ValidationError, text: bytes) -> str:
    """What is wrong, by the places of the wrong fields and without their values."""
    first = error.errors(include_url=False, include_input=False, include_context=False)
    if first[0]["type"] == "json_invalid":
        told = first[0]["msg"]
        if "recursion limit" in told:
            return "is nested too deeply"
        return "ends too early" if "EOF" in told else "is not JSON"
    if not text.lstrip().startswith(b"{"):
        return "is not a JSON object"
    wrong = (f"{'.'.join(map(str, one['loc'])) or 'all of it'}: {one['msg']}" for one in first)
    return f"has wrong fields ({'; '.join(list(wrong)[:_MOST_PLACES])})"


def _check_text(text: bytes) -> None:
    """What a parser takes silently: repeated keys, NaN, infinity, and impossible numbers.

    Large documents are parsed once more only if they hold a doubtful number: that takes a second.
    """
    if len(text) > PLAIN_BYTES and not _DOUBTFUL.search(text):
        return
    try:
        json.loads(
            text,
            object_pairs_hook=_no_key_twice if len(text) <= PLAIN_BYTES else None,
            parse_constant=_no_number,
            parse_float=_number,
            parse_int=_whole_number,
        )
    except RecursionError:
        raise DamagedDocumentError("is nested too deeply") from None


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DamagedDocumentError("has a key twice")
    return found


def _no_number(name: str) -> None:
    raise DamagedDocumentError(f"has {name} in place of a number")


def _number(text: str) -> float:
    number = float(text)
    if not -_LARGEST <= number <= _LARGEST:
        raise DamagedDocumentError("has an impossibly large number")
    return number


def _whole_number(text: str) -> int:
    if len(text.lstrip("-")) > _DIGITS:
        raise DamagedDocumentError("has an impossibly large number")
    return int(text)


def _check_version(document: BaseModel) -> None:
    version = getattr(document, "version", CONTRACT_VERSION)
    if isinstance(version, int) and version > CONTRACT_VERSION:
        raise DamagedDocumentError(
            f"has version {version} of the job contract, and this program reads versions up to "
            f"{CONTRACT_VERSION}: update it"
        )
    if isinstance(version, int) and version < 1:
        raise DamagedDocumentError(f"has version {version}, which never was")


def _check_usage(usage: Usage) -> None:
    """A worker measures with a clock that never runs backwards."""
    seconds = [usage.run_seconds, *usage.timings.model_dump().values()]
    if not all(0 <= one <= _LONGEST_SECONDS for one in seconds):
        raise DamagedDocumentError("has a negative or impossibly long time of work")


def _check_words(result: JobResult) -> None:
    """What would break the files made of it. Times that overlap or go back only get a warning."""
    for segment in result.segments:
        if max(segment.start_ms, segment.end_ms) > _LATEST_MS:
            raise DamagedDocumentError("has a segment at an impossible time")
        for word in segment.words:
            if max(word.start_ms, word.end_ms) > _LATEST_MS:
                raise DamagedDocumentError("has a word at an impossible time")
            if len(word.text) > _LONGEST_WORD:
                raise DamagedDocumentError("has an impossibly long word")
            if not -_ROUNDING <= word.probability <= 1 + _ROUNDING:
                raise DamagedDocumentError("has a probability outside of 0 to 1")
    if any(max(turn.start_ms, turn.end_ms) > _LATEST_MS for turn in result.turns):
        raise DamagedDocumentError("has a turn at an impossible time")


def _size(count: int) -> str:
    return f"{count / MEBIBYTE:.0f} MiB"
