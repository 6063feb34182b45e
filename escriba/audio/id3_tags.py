"""The ID3v2 tags before the audio: where they end, and whether they are sane.

A decoder compares each entry of a tag with all others: 80,000 of them took 160 s of CPU. Nothing
in a tag is needed, so the decoder never sees it (`decoder_view.py`).
Source: id3.org, ID3v2.4.0 structure, section 3; v2.2 and v2.3 for their frame headers.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO, Final

from .header_errors import TagTooLarge

HEAD: Final = 10  # bytes: "ID3", version, flags, length
HAS_FOOTER: Final = 0x10  # of the flags
HAS_EXTENDED_HEADER: Final = 0x40
MOST_TAGS: Final = 8
MOST_BYTES: Final = 64_000_000  # a podcast with a picture for each chapter has 20 MB
MOST_FRAMES: Final = 4096  # an audiobook with 500 chapters has 1,000
PADDING_STEP: Final = 60 * 1092  # bytes read at once; whole frame headers of 6 and of 10
_VERSION_2, _VERSION_3 = 2, 3


def end_of_tags(file: BinaryIO) -> int:
    """The position after the last leading tag; 0 without one.

    A tag that would end with the file or later has a wrong length: it ends with its entries.
    """
    size_bytes = file.seek(0, os.SEEK_END)
    position = 0
    for _ in range(MOST_TAGS):
        length = _tag_bytes(file, position)
        if length and position + length >= size_bytes:
            return _end_of_frames(file, position, size_bytes)
        if not length:
            break
        position += length
    return position


def check_tags(file: BinaryIO, position: int = 0) -> None:
    """Raises TagTooLarge for a tag, among those at the position, that no program writes."""
    for _ in range(MOST_TAGS):
        length = _tag_bytes(file, position)
        if not length:
            return
        if length > MOST_BYTES:
            raise TagTooLarge(f"the file begins with a tag (ID3) of {length:,} bytes")
        if _has_too_many(file, position, length):
            raise TagTooLarge(f"its tag (ID3) has more than {MOST_FRAMES:,} entries")
        position += length
    check_no_tag(file, position)


def check_no_tag(file: BinaryIO, position: int) -> None:
    """Raises TagTooLarge if one more tag is there, behind all those that were looked at."""
    if _tag_bytes(file, position):
        raise TagTooLarge(f"it has more than {MOST_TAGS} tags (ID3), or one in another")


def _tag_bytes(file: BinaryIO, position: int) -> int:
    """The length of the tag at the position, with its header; 0: there is none."""
    file.seek(position)
    head = file.read(HEAD)
    if len(head) < HEAD or not head.startswith(b"ID3"):
        return 0
    return HEAD * (2 if head[5] & HAS_FOOTER else 1) + _seven_bits(head[6:])


def _has_too_many(file: BinaryIO, start: int, length: int) -> bool:
    frames = _frames(file, start, start + length)
    return any(count >= MOST_FRAMES for count, _ in enumerate(frames))


def _end_of_frames(file: BinaryIO, start: int, size_bytes: int) -> int:
    """Where the entries of a tag of unknown length end, and perhaps the audio starts."""
    end = start + HEAD
    for position, after, name in _frames(file, start, size_bytes):
        if not name.isalnum() or name != name.upper() or after > size_bytes:
            return position
        end = after
    return end


def _frames(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    """The position, the end and the name of each entry; padding between them is left out."""
    file.seek(start)
    head = file.read(HEAD + 4)
    version, position = head[3], start + HEAD
    if head[5] & HAS_EXTENDED_HEADER and version != _VERSION_2:
        position += _seven_bits(head[HEAD:]) + (4 if version == _VERSION_3 else 0)
    head_bytes = 6 if version == _VERSION_2 else HEAD
    while position < end:
        file.seek(position)
        head = file.read(head_bytes)
        if len(head) < head_bytes:
            return
        if any(head):
            after = position + _frame_bytes(version, head)
            yield position, after, head[: 3 if version == _VERSION_2 else 4]
            position = after
        else:
            position += _padding_bytes(head + file.read(PADDING_STEP)) // head_bytes * head_bytes


def _padding_bytes(data: bytes) -> int:
    return len(data) - len(data.lstrip(b"\0"))


def _frame_bytes(version: int, head: bytes) -> int:
    """The length of a frame with its header."""
    if version == _VERSION_2:
        return 6 + int.from_bytes(head[3:6], "big")
    size = head[4:8]
    is_plain = version == _VERSION_3 or max(size, default=0) > 0x7F  # noqa: PLR2004  # iTunes's mistake
    return HEAD + (int.from_bytes(size, "big") if is_plain else _seven_bits(size))


def _seven_bits(digits: bytes) -> int:
    """A number of seven bits a byte."""
    number = 0
    for byte in digits:
        number = number << 7 | byte & 0x7F
    return number
