"""Holds the index of an MP4 against the size of its file, before a decoder builds it in memory.

A table of 12 bytes can announce 60 million samples, for each of which ffmpeg keeps 24 bytes, but
a file can have no more of them than it has bytes to decode.
Source: ISO/IEC 14496-12, sections 8.7.3 (stsz, stz2) and 8.8.8 (trun).
"""

from collections.abc import Iterable
from typing import BinaryIO, Final, NamedTuple

from .header_errors import ImpossibleIndex, PictureTooLarge, TagTooLarge

MOST_SAMPLES_A_BYTE: Final = 16  # old QuickTime codecs count what they decode to: MACE has 6
MOST_TAG_BYTES: Final = 64_000_000
MOST_PICTURE_BYTES: Final = 32_000_000
MOST_ENTRIES: Final = 4096
# boxes with a table: position of its number of entries in the body, and bytes of each
_TABLES: Final = {
    b"stts": (4, 8), b"ctts": (4, 8), b"stsc": (4, 12), b"stco": (4, 4), b"co64": (4, 8),
    b"stss": (4, 4),
}  # fmt: skip


class Box(NamedTuple):
    """One box: its four-letter type, and where its body starts and ends (bytes in the file)."""

    kind: bytes
    start: int
    end: int


def check_index(file: BinaryIO, boxes: Iterable[Box], size_bytes: int) -> int:
    """Looks at the tables and tags of an MP4; returns the number of samples in its index.

    Raises:
        ImpossibleIndex: It announces more samples than the file has bytes.
        PictureTooLarge: It has a cover that is larger than any real one.
        TagTooLarge: Its tags are larger than any program writes, or have too many entries.
    """
    samples = 0
    for box in boxes:
        if box.kind in {b"stsz", b"stz2", b"trun"}:
            samples += _samples(file, box)
        if box.kind in _TABLES:
            _check_table(file, box)
        if box.kind == b"udta":
            _check_tags(file, box)
    if samples > MOST_SAMPLES_A_BYTE * size_bytes:
        raise ImpossibleIndex(
            f"its index (MP4) announces {samples:,} samples, but the file has {size_bytes:,} bytes"
        )
    return samples


def _samples(file: BinaryIO, box: Box) -> int:
    """The number of samples that a box announces."""
    file.seek(box.start + (4 if box.kind == b"trun" else 8))
    return int.from_bytes(file.read(4), "big")


def _check_table(file: BinaryIO, box: Box) -> None:
    offset, entry_bytes = _TABLES[box.kind]
    file.seek(box.start + offset)
    count = int.from_bytes(file.read(4), "big")
    if count * entry_bytes > box.end - box.start:
        kind = box.kind.decode("latin-1")
        raise ImpossibleIndex(
            f"a table of its index (MP4, {kind}) announces {count:,} entries, but has "
            f"{box.end - box.start:,} bytes"
        )


def _check_tags(file: BinaryIO, tags: Box) -> None:
    if tags.end - tags.start > MOST_TAG_BYTES:
        raise TagTooLarge(f"its tags (MP4) have {tags.end - tags.start:,} bytes")
    pending = [(tags.start, tags.end)]
    for _ in range(MOST_ENTRIES):
        while pending and pending[-1][0] + 8 > pending[-1][1]:
            pending.pop()
        if not pending:
            return
        position, limit = pending.pop()
        file.seek(position)
        length, kind = int.from_bytes(file.read(4), "big"), file.read(4)
        if length < 8 or position + length > limit:  # noqa: PLR2004  # not a box: text, or the end
            continue
        if kind == b"covr" and length > MOST_PICTURE_BYTES:
            raise PictureTooLarge(f"its cover (MP4) has {length:,} bytes")
        pending.append((position + length, limit))
        if kind in {b"meta", b"ilst"}:
            pending.append((position + (12 if kind == b"meta" else 8), position + length))
    raise TagTooLarge(f"its tags (MP4) have more than {MOST_ENTRIES:,} entries")
