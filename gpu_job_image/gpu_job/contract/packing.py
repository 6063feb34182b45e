"""Compresses large JSON in the bucket: the words of eight hours are 9 MB, compressed 1 MB."""

import gzip
import zlib

PLAIN_BYTES = 256 << 10  # smaller objects stay plain JSON, so that people can read them
_MAGIC = b"\x1f\x8b"


def packed(body: bytes) -> bytes:
    """The body, compressed with gzip if larger than PLAIN_BYTES; deterministic."""
    return body if len(body) <= PLAIN_BYTES else gzip.compress(body, compresslevel=6, mtime=0)


def unpacked(body: bytes) -> bytes:
    """The JSON of a compressed or plain object.

    Raises:
        ValueError: the compressed object is damaged.
    """
    if not body.startswith(_MAGIC):
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError("a compressed object is damaged") from error
