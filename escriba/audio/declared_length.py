"""The length that a file declares, and whether the file itself states it.

ffmpeg always gives a number, but often it is the size of the file divided by its bitrate. A length
counts as stated only if a header holds it: MP3 with a Xing, Info or VBRI tag, WAV with a real data
size, FLAC with a sample count, MP4 without fragments, AIFF, and Matroska with a duration of the
audio track. Ogg, ADTS, AMR, ASF, AVI, FLV and MPEG streams have no such field, or one that
recorders leave wrong.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

from .mp3_tag import stated_mp3_ms
from .open_audio import MATROSKA_HEAD_BYTES, AudioSource

# Data sizes that recorders write for an unknown length: 0, and about the maximum of 31 or 32 bits.
UNKNOWN_WAV_SIZES: Final = (range(1), range(0x7FFFF000, 0x80000000), range(0xFFFFF000, 1 << 32))
WAV_FORMAT: Final = struct.Struct("<HHI6xH")  # tag, channels, Hz; bytes per second, block; bits
PCM_TAGS: Final = (
    1,
    3,
    6,
    7,
    0xFFFE,
)  # integers, floats, A-law, µ-law, and the extended form of each


@dataclass(frozen=True)
class DeclaredLength:
    """A length in ms, None without even an estimate; trusted if the file states it."""

    ms: int | None
    is_trusted: bool


def read_declared(source: AudioSource) -> DeclaredLength:
    """The length of the chosen track, from its container."""
    names = set(source.container.format.name.split(","))
    estimate = _ffmpeg_ms(source)
    if "mp3" in names:
        return _stated(stated_mp3_ms(source.file, source.size_bytes), estimate)
    if "wav" in names:
        return _stated(_wav_ms(source.file), estimate)
    if "flac" in names:
        return DeclaredLength(estimate, _flac_states_samples(source.file))
    if "matroska" in names:
        return _matroska(source, estimate)
    is_stated = "aiff" in names or (
        "mov" in names and not (source.mp4 and source.mp4.is_fragmented)
    )
    return DeclaredLength(estimate, is_stated and bool(estimate))


def _stated(stated_ms: int | None, estimate: int | None) -> DeclaredLength:
    if stated_ms is None:
        return DeclaredLength(estimate, is_trusted=False)
    return DeclaredLength(stated_ms, is_trusted=True)


def _ffmpeg_ms(source: AudioSource) -> int | None:
    """Length of the stream, else of the container; possibly an estimate."""
    stream = source.stream
    if stream.duration and stream.time_base:
        return round(stream.duration * stream.time_base * 1000)
    duration = source.container.duration  # in microseconds
    return round(duration / 1000) if duration else None


def _wav_ms(file: BinaryIO) -> int | None:
    """Data bytes divided by bytes per second, for plain RIFF; None if the size is unknown.

    Some recorders write wrong bytes per second. For PCM the value follows from the sample rate and
    the bytes per sample; other codecs count their samples in `fact`, or allow only an estimate.
    """
    file.seek(0)
    if file.read(12)[::8] != b"RW":  # RIFF....WAVE; RF64 is left to ffmpeg's estimate
        return None
    bytes_per_second = samples = rate_hz = 0
    is_pcm = False
    position = 12
    for _ in range(64):
        file.seek(position)
        kind, size = file.read(4), int.from_bytes(file.read(4), "little")
        if kind == b"fmt ":
            head = file.read(WAV_FORMAT.size).ljust(WAV_FORMAT.size, b"\0")
            tag, channels, rate_hz, bits = WAV_FORMAT.unpack(head)
            is_pcm, bytes_per_second = tag in PCM_TAGS, rate_hz * channels * -(-bits // 8)
        if kind == b"fact":
            samples = int.from_bytes(file.read(4), "little")
        if kind == b"data":
            is_known = not any(size in unknown for unknown in UNKNOWN_WAV_SIZES)
            if not is_pcm:
                is_counted = 0 < samples < UNKNOWN_WAV_SIZES[-1].start and rate_hz > 0
                return samples * 1000 // rate_hz if is_known and is_counted else None
            return size * 1000 // bytes_per_second if is_known and bytes_per_second else None
        position += 8 + size + size % 2
    return None


def _flac_states_samples(file: BinaryIO) -> bool:
    """The 36-bit sample count of STREAMINFO is not 0 (RFC 9639, section 8.2)."""
    file.seek(0)
    head = file.read(26)
    return head[:4] == b"fLaC" and int.from_bytes(head[21:26], "big") & 0xFFFFFFFFF > 0


def _matroska(source: AudioSource, estimate: int | None) -> DeclaredLength:
    """The DURATION tag of the track; the Duration of the segment only if there is no video."""
    tags = {name.upper(): text for name, text in source.stream.metadata.items()}
    tagged_ms = _tag_ms(tags.get("DURATION", ""))
    if tagged_ms is not None:  # counted from 0, even in a file cut from a longer one
        start_ms = max(0, source.container.start_time or 0) // 1000
        return DeclaredLength(max(0, tagged_ms - start_ms), is_trusted=True)
    source.file.seek(0)
    head = source.file.read(MATROSKA_HEAD_BYTES)
    info = head.find(b"\x15\x49\xa9\x66")
    # 0x4489: Duration, of 4 or 8 bytes (RFC 9559, section 5.1.2.10).
    near = head[info : info + 512] if info >= 0 else b""
    is_written = b"\x44\x89\x84" in near or b"\x44\x89\x88" in near
    is_alone = not source.container.streams.video
    return DeclaredLength(estimate, is_written and is_alone and bool(estimate))


def _tag_ms(text: str) -> int | None:
    """`00:01:02.345678900` as ms."""
    try:
        hours, minutes, seconds = text.split(":")
        return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000)
    except ValueError:
        return None
