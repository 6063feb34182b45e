"""How much memory the index of an MP4 takes in ffmpeg, which gives up one that does not fit.

It reports no error then: the file seems to be empty. Sources: libavformat/avformat.h (AVIndexEntry)
and libavformat/isom.h (the tables of sizes and times) of FFmpeg 8.
"""

import os
from typing import BinaryIO, Final, cast

from .audio_errors import AudioRefused, NoSamples, Truncated
from .decoder_view import without_tags
from .limit_errors import TookTooMuchMemory
from .mp4_boxes import read_mp4_facts
from .readable_file import ReadableFile

SAMPLE_BYTES: Final = 24 + 4 + 12  # its entry, its size, its times
_MEGABYTE: Final = 1_000_000


def index_refusal(
    path: ReadableFile, error: AudioRefused, limit_bytes: int
) -> TookTooMuchMemory | None:
    """The true reason why nothing of a file could be decoded; None if it is `error`.

    Args:
        path: The file.
        error: What it was refused for, before any of its audio was decoded.
        limit_bytes: The memory that reading it may take.
    """
    if not isinstance(error, NoSamples | Truncated):
        return None
    samples = _samples(path)
    if samples * SAMPLE_BYTES <= limit_bytes:
        return None
    return TookTooMuchMemory(
        f"its index (MP4) has {samples:,} samples and needs about "
        f"{samples * SAMPLE_BYTES // _MEGABYTE} MB of memory, but reading a file may take "
        f"{limit_bytes // _MEGABYTE} MB"
    )


def _samples(path: ReadableFile) -> int:
    with path.open("rb", buffering=0) as raw:
        content = cast("BinaryIO", without_tags(cast("BinaryIO", raw)))
        facts = read_mp4_facts(content, content.seek(0, os.SEEK_END))
    return facts.samples if facts else 0
