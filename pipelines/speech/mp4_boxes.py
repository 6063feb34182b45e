"""What the boxes of an MP4 (ISO/IEC 14496-12) say before ffmpeg is asked: index, codecs, DRM.

Reads box headers only, by seeking: a few kilobytes of a file of any size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, NamedTuple

FIRST_BOXES: Final = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
NESTED: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
# drms, drmi: FairPlay audio, video; enca, encv: common encryption; aavd: audiobooks (Audible).
PROTECTED: Final = frozenset({"drms", "drmi", "enca", "encv", "aavd"})
MOST_BOXES: Final = 4096  # a hostile file cannot keep the walk busy; real ones have below 200


class Box(NamedTuple):
    """One box: its four letters, where its body starts and ends (bytes from the file's start)."""

    kind: bytes
    start: int
    end: int


@dataclass(frozen=True)
class Mp4Facts:
    """What the boxes state.

    Attributes:
        has_index: A `moov` box stands complete in the file.
        is_fragmented: The index leaves the lengths to later fragments (`mvex`).
        entries: The four letters of each track's codec, in file order.
    """

    has_index: bool
    is_fragmented: bool
    entries: tuple[str, ...]

    @property
    def protected_entries(self) -> tuple[str, ...]:
        """The codec letters that mean encryption."""
        return tuple(entry for entry in self.entries if entry in PROTECTED)


def read_mp4_facts(file: BinaryIO, size_bytes: int) -> Mp4Facts | None:
    """Walks the boxes; None when the file does not begin like an MP4."""
    file.seek(0)
    if file.read(8)[4:8] not in FIRST_BOXES:
        return None
    boxes = list(_walk(file, 0, size_bytes))
    return Mp4Facts(
        has_index=any(box.kind == b"moov" and box.end <= size_bytes for box in boxes),
        is_fragmented=any(box.kind == b"mvex" for box in boxes),
        entries=tuple(
            entry for box in boxes if box.kind == b"stsd" for entry in _entries(file, box)
        ),
    )


def _walk(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    waiting = [(start, end)]
    for _ in range(MOST_BOXES):
        while waiting and waiting[-1][0] + 8 > waiting[-1][1]:
            waiting.pop()
        if not waiting:
            return
        position, limit = waiting.pop()
        box = _box_at(file, position, limit)
        if box is None:
            return
        yield box
        waiting.append((box.end, limit))
        if box.kind in NESTED:
            waiting.append((box.start, min(box.end, limit)))


def _box_at(file: BinaryIO, position: int, limit: int) -> Box | None:
    file.seek(position)
    header = file.read(16)
    length, body = int.from_bytes(header[:4], "big"), 8
    if length == 1:  # the length did not fit in 32 bits
        length, body = int.from_bytes(header[8:16], "big"), 16
    elif length == 0:  # up to the end
        length = limit - position
    return Box(header[4:8], position + body, position + length) if length >= body else None


def _entries(file: BinaryIO, box: Box) -> Iterator[str]:
    """The codecs that a sample description (`stsd`) lists: version, count, then boxes."""
    position = box.start + 8
    for _ in range(16):
        inner = _box_at(file, position, box.end) if position + 8 <= box.end else None
        if inner is None:
            return
        yield inner.kind.decode("latin-1")
        position = inner.end
