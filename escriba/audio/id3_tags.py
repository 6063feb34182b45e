"""The ID3v2 tags before the audio: where they end, and whether they are sane.

A decoder compares each entry of a tag with all others: 80,000 of them took 160 s of CPU. Nothing
in a tag is needed, so the decoder never sees it (`decoder_view.py`).
Source: id3.org, ID3v2.4.0 structure, section 3; v2.2 and v2.3 for their frame headers.
"""

from typing import BinaryIO, Final

from .header_errors import TagTooLarge

HEAD: Final = 10  # bytes: "ID3", version, flags, length
HAS_FOOTER: Final = 0x10  # of the flags
MOST_TAGS: Final = 8
MOST_BYTES: Final = 64_000_000  # a podcast with a picture for each chapter has 20 MB
MOST_FRAMES: Final = 4096  # an audiobook with 500 chapters has 1,000
_VERSION_2, _VERSION_3 = 2, 3


def end_of_tags(file: BinaryIO) -> int:
    """The position after the last leading tag; 0 without one."""
    position = 0
    for _ in range(MOST_TAGS):
        length = _tag_bytes(file, position)
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


def _tag_bytes(file: BinaryIO, position: int) -> int:
    """The length of the tag at the position, with its header; 0: there is none."""
    file.seek(position)
    head = file.read(HEAD)
    if len(head) < HEAD or not head.startswith(b"ID3"):
        return 0
    return HEAD * (2 if head[5] & HAS_FOOTER else 1) + _seven_bits(head[6:])


def _has_too_many(file: BinaryIO, start: int, length: int) -> bool:
    file.seek(start)
    version = file.read(4)[3]
    position, end = start + HEAD, start + length
    for _ in range(MOST_FRAMES):
        file.seek(position)
        head = file.read(HEAD)
        if position >= end or not head[:1].isalnum():  # padding, or no frame
            return False
        position += _frame_bytes(version, head)
    return True


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
