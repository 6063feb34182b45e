"""Large JSON in the bucket is compressed: the words of eight hours are 9 MB, and 1 MB so."""

import gzip
import zlib

PLAIN_BYTES = 256 << 10  # smaller ones stay as they are, so that people can read them
_MAGIC = b"\x1f\x8b"


def packed(body: bytes) -> bytes:
    """Gzip of what is larger than PLAIN_BYTES; the same bytes for the same body."""
    return body if len(body) <= PLAIN_BYTES else gzip.compress(body, compresslevel=6, mtime=0)


def unpacked(body: bytes) -> bytes:
    """The JSON, whether it was compressed or not.

    Raises:
        ValueError: a compressed object that is not whole.
    """
    if not body.startswith(_MAGIC):
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError("a compressed object is damaged") from error
