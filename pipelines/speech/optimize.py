"""A recording as the GPU gets it: 16 kHz FLAC or Opus, its speech regions, and its oddities.

FLAC comes first; when it passes the size limit, or clearly will, a second pass writes Opus at the
bitrate that fits. Memory does not grow with the recording's length.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from gpu_job.contract import SpeechRegion
from pipelines.speech.decode import Channels
from pipelines.speech.detection import SpeechDetector
from pipelines.speech.encode import MIN_BITRATE, SUFFIXES, Format, bitrate_for
from pipelines.speech.optimize_pass import FlacTooLargeError, Outcome, Target, Wishes, run_pass
from pipelines.speech.recording_warnings import RecordingWarning
from pipelines.speech.tracks import ANY_TRACK, TrackWish

DEFAULT_LIMIT_BYTES: Final = 100_000_000  # the user's 100 MB, in the smaller of its two meanings


@dataclass(frozen=True)
class Timings:
    """Where the time went: wall seconds, but for the detector's thread, which is CPU seconds."""

    wall_seconds: float
    encode_seconds: float
    detect_cpu_seconds: float
    passes: int


@dataclass(frozen=True)
class OptimizedAudio:
    """What was made of a recording.

    Attributes:
        path: `audio.flac` or `audio.opus` in the folder given.
        format: Which of the two.
        bitrate: Of all channels together, in bit/s; None for FLAC.
        decoded_ms: Length of the sound, and of the file written.
        channels: 1, or as many as were recorded when they are kept separate.
        sha256: Of the file written, in hexadecimal.
        size_bytes: Of the file written.
        regions: Where there is speech, ordered by start and channel.
        speech_dbfs: The level of the speech as it was recorded; None without any sound.
        gain_db: By how much quiet speech was made louder; 0 for most recordings.
        warnings: Sentences for people.
        timings: Where the time went.
    """

    path: Path
    format: Format
    bitrate: int | None
    decoded_ms: int
    channels: int
    sha256: str
    size_bytes: int
    regions: tuple[SpeechRegion, ...]
    speech_dbfs: float | None
    gain_db: float
    warnings: tuple[RecordingWarning, ...]
    timings: Timings


def optimize(  # noqa: PLR0913 - each is a wish of its own, and all but two are by name
    source: Path,
    folder: Path,
    *,
    detector: SpeechDetector,
    channels: Channels = "mixed",
    track: TrackWish | Literal["all"] = ANY_TRACK,
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda _: None,
) -> OptimizedAudio:
    """Writes `audio.flac` or `audio.opus` into a folder, and finds the speech.

    Args:
        source: The recording, under any name.
        folder: Where to write; it exists.
        detector: The speech detector; may be shared with other calls.
        channels: `separate` keeps a channel for each speaker; a mono file is mixed, and warned of.
        track: Which of several sounds is wanted; `all`: each is a channel (up to 8).
        limit_bytes: The size above which FLAC gives way to Opus. Opus at 32 kbit/s may pass it
            too: that is a warning.
        stop: Asked before every block (about a second of sound).
        progress: Told how many ms of sound are done; starts again from 0 with every pass.

    Raises:
        AudioRefused: The file cannot be used; the code says why. Nothing is left in the folder.
        DecodeStopped: `stop()` became true. Nothing is left in the folder.
        OSError: The source cannot be read, or the folder not written to.
    """
    began = time.perf_counter()
    wishes = Wishes(detector, channels, limit_bytes, stop, progress, track)
    target, outcome, passes = _within_limit(source, folder, wishes)
    level = outcome.level
    if level.gain_db:
        with TemporaryDirectory(dir=folder) as other:
            louder, heard, more = _within_limit(source, Path(other), wishes, level.gain_db)
            passes += more
            if heard.regions:  # else what was made louder would be noise
                target.path.unlink()
                target = replace(louder, path=louder.path.rename(folder / louder.path.name))
                outcome = heard
    timings = Timings(
        wall_seconds=time.perf_counter() - began,
        encode_seconds=outcome.encode_seconds,
        detect_cpu_seconds=outcome.detect_seconds,
        passes=passes,
    )
    return _optimized(target, outcome, level.dbfs, limit_bytes, timings)


def _within_limit(
    source: Path, folder: Path, wishes: Wishes, gain_db: float = 0.0
) -> tuple[Target, Outcome, int]:
    """FLAC, or Opus where FLAC is too large; and the passes that this took."""
    target = Target(folder / f"audio{SUFFIXES['flac']}", "flac", gain_db=gain_db)
    passes = 1
    try:
        outcome = run_pass(source, target, wishes)
    except FlacTooLargeError as error:
        target = _opus(target, wishes.limit_bytes, error.total_ms)
        outcome = run_pass(source, target, wishes)
        passes = 2
    is_large = target.path.stat().st_size > wishes.limit_bytes
    if is_large and target.bitrate > MIN_BITRATE:  # the length was misjudged
        target = _opus(target, wishes.limit_bytes, outcome.decoded_ms)
        outcome = run_pass(source, target, wishes)
        passes += 1
    return target, outcome, passes


def _opus(flac: Target, limit_bytes: int, total_ms: int) -> Target:
    path = flac.path.with_suffix(SUFFIXES["opus"])
    return replace(flac, path=path, format="opus", bitrate=bitrate_for(limit_bytes, total_ms / 1e3))


def _optimized(
    target: Target, outcome: Outcome, level_dbfs: float | None, limit_bytes: int, timings: Timings
) -> OptimizedAudio:
    size_bytes = target.path.stat().st_size
    warnings = outcome.warnings
    if size_bytes > limit_bytes:
        took = f"Opus at {target.bitrate} bit/s takes {size_bytes} bytes"
        message = f"{took}, above the limit of {limit_bytes}."
        warnings += (RecordingWarning(code="above_the_size_limit", message=message),)
    with target.path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return OptimizedAudio(
        path=target.path,
        format=target.format,
        bitrate=target.bitrate or None,
        decoded_ms=outcome.decoded_ms,
        channels=outcome.channels,
        sha256=sha256,
        size_bytes=size_bytes,
        regions=outcome.regions,
        speech_dbfs=level_dbfs,
        gain_db=target.gain_db,
        warnings=warnings,
        timings=timings,
    )
