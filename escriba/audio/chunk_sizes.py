"""Looks at the chunks of WAV and AIFF files: tags in them are as dangerous as before the audio."""

from collections.abc import Iterator
from typing import BinaryIO, Final, Literal, NamedTuple

from .header_errors import TagTooLarge
from .id3_tags import check_tags

MOST_CHUNKS: Final = 1024
MOST_BYTES: Final = 64_000_000  # of a chunk that is no audio; broadcast logs have less than 1 MB
AUDIO: Final = frozenset({b"data", b"SSND", b"JUNK", b"junk", b"PAD ", b"FLLR"})  # and fillers
LONG: Final = frozenset({b"RF64", b"BW64"})  # WAV beyond 4 GB
ORDERS: Final[dict[tuple[bytes, bytes], Literal["little", "big"]]] = {
    (b"RIFF", b"WAVE"): "little",
    (b"RF64", b"WAVE"): "little",
    (b"BW64", b"WAVE"): "little",
    (b"RIFX", b"WAVE"): "big",
    (b"FORM", b"AIFF"): "big",
    (b"FORM", b"AIFC"): "big",
}
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
    order = ORDERS.get((head[:4], head[8:]))
    if order is None:
        return
    audio_bytes = _audio_bytes(file) if head[:4] in LONG else None
    chunks = _chunks(file, size_bytes, order, audio_bytes)
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


def _audio_bytes(file: BinaryIO) -> int | None:
    """The length of `data` in the first chunk of a long WAV (EBU Tech 3306); None without one."""
    file.seek(12)
    head = file.read(24)
    return int.from_bytes(head[16:], "little") if head[:4] == b"ds64" else None


def _chunks(
    file: BinaryIO, end: int, order: Literal["little", "big"], audio_bytes: int | None
) -> Iterator[Chunk]:
    position = 12
    while position + 8 <= end:
        file.seek(position)
        name, length = file.read(4), int.from_bytes(file.read(4), order)
        is_audio = name == b"data"
        if is_audio and audio_bytes is not None:
            length = audio_bytes  # as ffmpeg has it, whatever the chunk says
        elif (is_audio and not length) or not (name.isascii() and name.decode().isprintable()):
            return  # padding, or audio of unknown length
        yield Chunk(name, position + 8, length)
        position += 8 + length + length % 2
