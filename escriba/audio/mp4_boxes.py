"""Reads facts from the boxes of an MP4 (ISO/IEC 14496-12) before ffmpeg: index, codecs, DRM.

Reads only box headers, by seeking: a few kilobytes of a file of any size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from .mp4_index import Box, check_index

FIRST_BOXES: Final = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
NESTED: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"})
# drms, drmi: FairPlay audio, video; enca, encv: common encryption; aavd: audiobooks (Audible).
PROTECTED: Final = frozenset({"drms", "drmi", "enca", "encv", "aavd"})
MAX_BOXES: Final = 4096  # bounds the walk through a hostile file; real ones have fewer than 200


@dataclass(frozen=True)
class Mp4Facts:
    """Facts from the boxes.

    Attributes:
        has_index: The file contains a complete `moov` box.
        is_fragmented: Later fragments hold the lengths, not the index (`mvex`).
        entries: The four-letter codec of each track, in file order.
        samples: The samples that its index announces, of all tracks.
    """

    has_index: bool
    is_fragmented: bool
    entries: tuple[str, ...]
    samples: int = 0

    @property
    def protected_entries(self) -> tuple[str, ...]:
        """The codecs that mean encryption."""
        return tuple(entry for entry in self.entries if entry in PROTECTED)


def read_mp4_facts(file: BinaryIO, size_bytes: int) -> Mp4Facts | None:
    """Walks the boxes; None if the file does not start like an MP4.

    Raises:
        AudioRefused: ImpossibleIndex, PictureTooLarge or TagTooLarge (`mp4_index.py`).
    """
    file.seek(0)
    if file.read(8)[4:8] not in FIRST_BOXES:
        return None
    boxes = list(_walk(file, 0, size_bytes))
    samples = check_index(file, boxes, size_bytes)
    return Mp4Facts(
        has_index=any(box.kind == b"moov" and box.end <= size_bytes for box in boxes),
        is_fragmented=any(box.kind == b"mvex" for box in boxes),
        entries=tuple(
            entry for box in boxes if box.kind == b"stsd" for entry in _entries(file, box)
        ),
        samples=samples,
    )


def _walk(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    pending = [(start, end)]
    for _ in range(MAX_BOXES):
        while pending and pending[-1][0] + 8 > pending[-1][1]:
            pending.pop()
        if not pending:
            return
        position, limit = pending.pop()
        box = _box_at(file, position, limit)
        if box is None:
            return
        yield box
        pending.append((box.end, limit))
        if box.kind in NESTED:
            pending.append((box.start, min(box.end, limit)))


def _box_at(file: BinaryIO, position: int, limit: int) -> Box | None:
    file.seek(position)
    header = file.read(16)
    length, body = int.from_bytes(header[:4], "big"), 8
    if length == 1:  # the length does not fit in 32 bits
        length, body = int.from_bytes(header[8:16], "big"), 16
    elif length == 0:  # up to the end of the file
        length = limit - position
    return Box(header[4:8], position + body, position + length) if length >= body else None


def _entries(file: BinaryIO, box: Box) -> Iterator[str]:
    """The codecs of a sample description (`stsd`): version, count, then boxes."""
    position = box.start + 8
    for _ in range(16):
        inner = _box_at(file, position, box.end) if position + 8 <= box.end else None
        if inner is None:
            return
        yield inner.kind.decode("latin-1")
        position = inner.end
