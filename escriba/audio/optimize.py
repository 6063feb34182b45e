"""The audio that a worker gets: 16 kHz FLAC or Opus, with its speech regions and warnings.

FLAC comes first; if it exceeds the size limit or clearly will, a second pass writes Opus at a
bitrate that fits. Memory does not grow with the length of the recording.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from escriba.recording_warnings import RecordingWarning

from .encode import MIN_BITRATE, SUFFIXES, bitrate_for
from .optimize_pass import FlacTooLargeError, OptimizeOptions, OutputTarget, PassResult, run_pass
from .optimized_audio import Channels, OptimizedAudio, OptimizeTimings
from .readable_file import ReadableFile
from .speech_detection import SpeechDetector
from .track_names import ANY_TRACK, TrackRequest

DEFAULT_LIMIT_BYTES: Final = 100_000_000  # 100 MB in its smaller meaning


def optimize(  # noqa: PLR0913 - independent options, all but two by keyword
    source: ReadableFile,
    folder: Path,
    *,
    detector: SpeechDetector,
    channels: Channels = "mixed",
    track: TrackRequest | Literal["all"] = ANY_TRACK,
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda _: None,
) -> OptimizedAudio:
    """Writes `audio.flac` or `audio.opus` into a folder, and finds the speech regions.

    Args:
        source: The recording; any file name.
        folder: An existing folder for the file.
        detector: The speech detector; may be shared with other calls.
        channels: `separate` keeps one channel per speaker; a mono file is mixed, with a warning.
        track: Which of several audio tracks is wanted; `all`: each becomes a channel (up to 8).
        limit_bytes: Size above which Opus replaces FLAC. Opus at 32 kbit/s may exceed it too,
            with a warning.
        stop: Called before every block (about a second of audio); True stops.
        progress: Called with the ms of audio done so far; restarts from 0 with every pass.

    Raises:
        AudioRefused: The file cannot be used; the code says why. Nothing is left in the folder.
        DecodeStopped: `stop()` became true. Nothing is left in the folder.
        OSError: The source cannot be read, or the folder cannot be written.
    """
    began = time.perf_counter()
    options = OptimizeOptions(detector, channels, limit_bytes, stop, progress, track)
    target, outcome, passes = _within_limit(source, folder, options)
    level = outcome.level
    if level.gain_db:
        target, outcome, more = _amplified(source, folder, options, target, outcome)
        passes += more
    timings = OptimizeTimings(
        wall_seconds=time.perf_counter() - began,
        encode_seconds=outcome.encode_seconds,
        detect_cpu_seconds=outcome.detect_seconds,
        passes=passes,
    )
    return _optimized(target, outcome, level.dbfs, limit_bytes, timings)


def _amplified(
    source: ReadableFile,
    folder: Path,
    options: OptimizeOptions,
    target: OutputTarget,
    outcome: PassResult,
) -> tuple[OutputTarget, PassResult, int]:
    """The amplified file if speech is detected in it, else the first one; and the passes."""
    with TemporaryDirectory(dir=folder) as other:
        louder, amplified, passes = _within_limit(
            source, Path(other), options, outcome.level.gain_db
        )
        if not amplified.regions:  # only noise was amplified
            return target, outcome, passes
        target.path.unlink()
        kept = replace(louder, path=louder.path.rename(folder / louder.path.name))
    return kept, amplified, passes


def _within_limit(
    source: ReadableFile, folder: Path, options: OptimizeOptions, gain_db: float = 0.0
) -> tuple[OutputTarget, PassResult, int]:
    """FLAC, or Opus if FLAC is too large; and the number of passes."""
    target = OutputTarget(folder / f"audio{SUFFIXES['flac']}", "flac", gain_db=gain_db)
    passes = 1
    try:
        outcome = run_pass(source, target, options)
    except FlacTooLargeError as error:
        target = _opus(target, options.limit_bytes, error.total_ms)
        outcome = run_pass(source, target, options)
        passes = 2
    is_large = target.path.stat().st_size > options.limit_bytes
    if is_large and target.bitrate > MIN_BITRATE:  # the estimated length was wrong
        target = _opus(target, options.limit_bytes, outcome.decoded_ms)
        outcome = run_pass(source, target, options)
        passes += 1
    return target, outcome, passes


def _opus(flac: OutputTarget, limit_bytes: int, total_ms: int) -> OutputTarget:
    path = flac.path.with_suffix(SUFFIXES["opus"])
    return replace(flac, path=path, format="opus", bitrate=bitrate_for(limit_bytes, total_ms / 1e3))


def _optimized(
    target: OutputTarget,
    outcome: PassResult,
    level_dbfs: float | None,
    limit_bytes: int,
    timings: OptimizeTimings,
) -> OptimizedAudio:
    size_bytes = target.path.stat().st_size
    warnings = outcome.warnings
    if size_bytes > limit_bytes:
        took = f"Opus at {target.bitrate} bit/s takes {size_bytes} bytes"
        message = f"{took}, which exceeds the limit of {limit_bytes}."
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
