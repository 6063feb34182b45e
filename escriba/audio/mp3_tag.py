"""The length that the first frame of an MP3 states, if it is a Xing, Info or VBRI frame.

Without one, an MP3 is a sequence of frames that does not state its length.
Sources: the LAME tag specification (Xing, Info), Fraunhofer's VBRI; ffmpeg's libavformat/mp3dec.c.
"""

import struct
from typing import BinaryIO, Final, NamedTuple

from .id3_tags import end_of_tags

FRAME_BYTES: Final = 256  # of the first frame: more than any tag's fields need
SEARCH_BYTES: Final = 8192  # from the end of the ID3 tag to the first frame; usually 0
# The header's bits: 11 of sync, 2 version, 2 layer, 1 checksum, 4 bitrate, 2 rate, 2, 2 channels.
SYNC: Final = 0x7FF
MPEG_1: Final = 3
LAYER_III: Final = 1
MONO: Final = 3
RATES_HZ: Final = (44_100, 48_000, 32_000)  # of MPEG 1
SLOWER: Final = {3: 1, 2: 2, 0: 4}  # by version: MPEG 1, 2, and 2.5
XING: Final = struct.Struct(
    ">4sIII"
)  # name, flags, and the first two numbers that the flags announce
VBRI: Final = struct.Struct(">4s6xII")  # name; version, delay, quality; bytes, frames
HAS_FRAMES, HAS_BYTES = 1, 2  # bits of the Xing flags
VBRI_OFFSET: Final = 36  # 4 bytes of header, 32 of silence


class FrameHeader(NamedTuple):
    """Fields of the first frame of an MP3 that its tag needs."""

    rate_hz: int
    samples_per_frame: int
    side_bytes: int


class StatedLength(NamedTuple):
    """The values of a tag; `size_bytes` is 0 if it has none."""

    frames: int
    size_bytes: int


def stated_mp3_ms(file: BinaryIO, size_bytes: int) -> int | None:
    """The stated length in ms; None without a tag.

    A tag with clearly fewer bytes than the file belongs to the first of several files joined end to
    end, and does not count (ffmpeg's rule: a sixteenth).
    """
    start = end_of_tags(file)
    file.seek(start)
    head = file.read(SEARCH_BYTES + FRAME_BYTES)
    position = head.find(b"\xff")
    while 0 <= position < SEARCH_BYTES:
        frame = head[position : position + FRAME_BYTES]
        header = _header(frame)
        if header:
            return _length_ms(header, _stated(frame, header), size_bytes - start)
        position = head.find(b"\xff", position + 1)
    return None


def _length_ms(header: FrameHeader, stated: StatedLength | None, present_bytes: int) -> int | None:
    if stated is None or not stated.frames:
        return None
    if stated.size_bytes and present_bytes > stated.size_bytes * 17 // 16:
        return None
    return stated.frames * header.samples_per_frame * 1000 // header.rate_hz


def _header(frame: bytes) -> FrameHeader | None:
    """The header of a layer III frame; None for anything else."""
    bits = int.from_bytes(frame[:4], "big")
    version, layer, rate = bits >> 19 & 3, bits >> 17 & 3, bits >> 10 & 3
    is_sync = bits >> 21 == SYNC
    if not is_sync or layer != LAYER_III or version not in SLOWER or rate >= len(RATES_HZ):
        return None
    is_first, is_mono = version == MPEG_1, bits >> 6 & 3 == MONO
    side_bytes = (17 if is_mono else 32) if is_first else (9 if is_mono else 17)
    return FrameHeader(RATES_HZ[rate] // SLOWER[version], 1152 if is_first else 576, side_bytes)


def _stated(frame: bytes, header: FrameHeader) -> StatedLength | None:
    tag = frame[4 + header.side_bytes :][: XING.size]
    if tag[:4] in (b"Xing", b"Info") and len(tag) == XING.size:
        _, flags, first, second = XING.unpack(tag)
        frames = first if flags & HAS_FRAMES else 0
        size_bytes = (second if flags & HAS_FRAMES else first) if flags & HAS_BYTES else 0
        return StatedLength(frames, size_bytes)
    vbri = frame[VBRI_OFFSET:][: VBRI.size]
    if vbri[:4] == b"VBRI" and len(vbri) == VBRI.size:
        _, size_bytes, frames = VBRI.unpack(vbri)
        return StatedLength(frames, size_bytes)
    return None
