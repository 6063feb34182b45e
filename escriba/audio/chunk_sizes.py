"""Looks at the chunks of WAV and AIFF files: tags in them are as dangerous as before the audio."""

from collections.abc import Iterator
from typing import BinaryIO, Final, Literal, NamedTuple

from .header_errors import TagTooLarge
from .id3_tags import check_tags

MOST_CHUNKS: Final = 1024
MOST_BYTES: Final = 64_000_000  # of a chunk that is no audio; broadcast logs have less than 1 MB
AUDIO: Final = frozenset({b"data", b"SSND", b"JUNK", b"junk", b"PAD ", b"FLLR"})  # and fillers
TAGS: Final = frozenset({b"id3 ", b"ID3 "})


class Chunk(NamedTuple):
    """A chunk: its name, and the position and length of its body."""

    name: bytes
    start: int
    length: int


def check_chunks(file: BinaryIO, size_bytes: int) -> None:
    """Raises TagTooLarge for a chunk that is no audio and larger than any program writes."""
    file.seek(0)
    head = file.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        chunks = _chunks(file, size_bytes, "little")
    elif head[:4] == b"FORM" and head[8:] in {b"AIFF", b"AIFC"}:
        chunks = _chunks(file, size_bytes, "big")
    else:
        return
    for count, chunk in enumerate(chunks):
        if count >= MOST_CHUNKS:
            raise TagTooLarge(f"the file has more than {MOST_CHUNKS:,} chunks")
        if chunk.name in AUDIO:
            continue
        if MOST_BYTES < chunk.length <= size_bytes - chunk.start:
            name = chunk.name.decode("latin-1")
            raise TagTooLarge(f"its chunk {name!r} has {chunk.length:,} bytes")
        if chunk.name in TAGS:
            check_tags(file, chunk.start)


def _chunks(file: BinaryIO, end: int, order: Literal["little", "big"]) -> Iterator[Chunk]:
    position = 12
    while position + 8 <= end:
        file.seek(position)
        name, length = file.read(4), int.from_bytes(file.read(4), order)
        if (
            not name.isascii()
            or not name.decode().isprintable()
            or (name == b"data" and not length)
        ):
            return  # padding, or audio of unknown length
        yield Chunk(name, position + 8, length)
        position += 8 + length + length % 2
