"""The metadata of a FLAC without its pictures, for a decoder that would decode them.

Source: RFC 9639, section 8.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from .header_errors import TagTooLarge

MARK: Final = b"fLaC"
STREAM_INFO, COMMENTS = 0, 4
IS_LAST: Final = 0x80  # bit of a block's first byte
SMALL_COMMENTS: Final = 65_536  # bytes; they may name the channels
MOST_BLOCKS: Final = 1024
MOST_BYTES: Final = 64_000_000


class Block(NamedTuple):
    """A metadata block: its kind, and the position and length of its body."""

    kind: int
    start: int
    length: int


class PlainHead(NamedTuple):
    """A header that stands for the real one, and where the audio frames begin."""

    head: bytes
    frames_at: int


def without_pictures(file: BinaryIO, position: int) -> PlainHead | None:
    """The header with the format and the comments alone; None if the file is no FLAC there.

    Raises:
        TagTooLarge: The metadata is larger than any program writes.
    """
    file.seek(position)
    if file.read(4) != MARK:
        return None
    kept, end = b"", position + 4
    for count, block in enumerate(_blocks(file, end)):
        end = block.start + block.length
        if count >= MOST_BLOCKS or end - position > MOST_BYTES:
            raise TagTooLarge(f"its metadata (FLAC) has {end - position:,} bytes and more")
        if block.kind == STREAM_INFO or (block.kind == COMMENTS and block.length <= SMALL_COMMENTS):
            file.seek(block.start)
            kept += _head(block.kind, block.length) + file.read(block.length)
    if not kept:
        return None
    return PlainHead(MARK + kept + _head(1 | IS_LAST, 0), end)  # an empty padding ends it


def _blocks(file: BinaryIO, position: int) -> Iterator[Block]:
    while True:
        file.seek(position)
        head = file.read(4)
        if len(head) < 4:  # noqa: PLR2004  # the file ends
            return
        block = Block(head[0] & ~IS_LAST, position + 4, int.from_bytes(head[1:], "big"))
        yield block
        if head[0] & IS_LAST:
            return
        position = block.start + block.length


def _head(kind: int, length: int) -> bytes:
    return bytes([kind]) + length.to_bytes(3, "big")
